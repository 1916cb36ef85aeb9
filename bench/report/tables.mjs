/**
 * @import { FootprintFigure } from '../footprint/footprint.mjs'
 * @import { Figure } from '../measure.mjs'
 * @import { ScenarioFigures } from '../scenarios.mjs'
 * @import { PromiseKept } from './promises.mjs'
 * @import { Results } from './results.mjs'
 */

/**
 * Everything that was measured, as Markdown.
 * @param {Results} results
 * @param {readonly PromiseKept[]} promises
 */
export function toMarkdown(results, promises) {
  const parts = [
    `\`${results.command}\`, ${results.date}, on ${describe(results)}.`,
    timesTable(results.scenarios),
    legend(results.scenarios),
    ...(results.footprints.length > 0 ? [footprintTable(results.footprints)] : []),
    ...(promises.length > 0 ? [promisesTable(promises)] : []),
  ];
  return parts.join('\n\n');
}

/** @param {Results} results */
function describe({ machine: { processor, cores, memoryGb, system, versions } }) {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} cores (${processor}), ${memoryGb} GB, ${system}; ${software.join(', ')}`;
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

/** @param {readonly PromiseKept[]} promises */
function promisesTable(promises) {
  const rows = promises.map(({ promise, limit, measured, isKept }) => [
    promise,
    limit,
    measured,
    isKept ? 'yes' : '**no**',
  ]);
  return table(['promise', 'limit', 'measured', 'kept'], rows);
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  const alignment = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
