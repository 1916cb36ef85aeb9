import { duration, table } from './markdown.mjs';

/**
 * @import { FootprintFigure } from '../footprint/footprint.mjs'
 * @import { Looks } from '../looks.mjs'
 * @import { Figure } from '../measure.mjs'
 * @import { ScenarioFigures } from '../scenarios.mjs'
 */

/**
 * What looking and booting cost, as Markdown.
 * @param {Looks} looks
 */
export function looksMarkdown({ scenarios, footprints }) {
  return [
    ...(scenarios.length > 0 ? [timesTable(scenarios), legend(scenarios)] : []),
    ...(footprints.length > 0 ? [footprintTable(footprints)] : []),
  ].join('\n\n');
}

/** @param {readonly ScenarioFigures[]} scenarios */
function timesTable(scenarios) {
  const contenders = new Map(
    scenarios.flatMap(({ figures }) => figures).map(({ contender, title }) => [contender, title]),
  );
  const usual = usualRuns(scenarios);
  const rows = [...contenders].map(([contender, title]) => [
    title,
    ...scenarios.map(({ figures }) =>
      toCell(
        figures.find((figure) => figure.contender === contender),
        usual,
      ),
    ),
  ]);
  return table(['tables', ...scenarios.map(({ scenario }) => scenario.title)], rows);
}

/** @param {readonly ScenarioFigures[]} scenarios */
function usualRuns(scenarios) {
  return Math.max(...scenarios.flatMap(({ figures }) => figures).map(({ runsMs }) => runsMs.length));
}

/**
 * @param {Figure | undefined} figure
 * @param {number} usual number of runs
 */
function toCell(figure, usual) {
  if (!figure) return '–';
  const { medianMs, runsMs, roundTrips } = figure;
  const notes = [
    ...(roundTrips === null ? [] : [`${roundTrips} round trip${roundTrips === 1 ? '' : 's'}`]),
    ...(runsMs.length === usual ? [] : [`${runsMs.length} runs`]),
  ];
  return `${duration(medianMs)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** @param {readonly ScenarioFigures[]} scenarios */
function legend(scenarios) {
  const figures = scenarios.flatMap(({ figures: each }) => each);
  const seen = [...new Set(figures.filter(({ differences }) => differences).map(({ title }) => title))];
  const verdict =
    seen.length === 0
      ? 'Everyone who compares found the tables as wanted.'
      : `These saw differences where there are none: ${seen.join('; ')}.`;
  return `Medians of ${usualRuns(scenarios)} runs in turn unless said otherwise. ${verdict}`;
}

/** @param {readonly FootprintFigure[]} footprints */
function footprintTable(footprints) {
  const rows = footprints.map((each) => [
    each.tables.toLocaleString('en'),
    each.work.replace('-', ' '),
    duration(each.ms),
    `${each.rssAboveIdleMb.toFixed(0)} MB`,
    `${each.heapKeptMb.toFixed(0)} MB`,
    `${duration(each.longestStallMs)} (${duration(each.worstStallMs)})`,
    `${each.processes}`,
  ]);
  const head = [
    'tables',
    'work',
    'time',
    'peak memory (RSS) above idle',
    'heap kept',
    'longest stall (worst)',
  ];
  return table([...head, 'processes'], rows);
}
