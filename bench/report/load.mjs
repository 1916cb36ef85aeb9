import { duration, table } from './markdown.mjs';

/**
 * @import { HealingFigure } from '../load/healing.mjs'
 * @import { LoadFigures } from '../load/load.mjs'
 * @import { Window } from '../load/recorder.mjs'
 */

/**
 * How requests fared while tables were healed, as Markdown.
 * @param {readonly LoadFigures[]} loads
 */
export function loadMarkdown(loads) {
  return [...loads.map(healingTable), legend(loads)].join('\n\n');
}

/** @param {LoadFigures} load */
function healingTable({ rows, healings }) {
  const head = ['p50', 'p99', 'p99.9', 'longest', 'errors', 'requests/s', 'healed after', 'what is left'];
  return table([`${rows.toLocaleString('en')} rows, healed by`, ...head], healings.map(toRow));
}

/** @param {HealingFigure} figure */
function toRow(figure) {
  const { idle, healing, healedAfterMs } = figure;
  const both = (/** @type {(window: Window) => string} */ of) => `${of(healing)} (${of(idle)})`;
  return [
    titleOf(figure),
    both(({ p50Ms }) => duration(p50Ms)),
    both(({ p99Ms }) => duration(p99Ms)),
    both(({ p999Ms }) => duration(p999Ms)),
    both(({ longestMs }) => duration(longestMs)),
    both(({ errors }) => `${errors}`),
    both(({ requestsPerSecond }) => requestsPerSecond.toLocaleString('en')),
    duration(healedAfterMs),
    whatIsLeft(figure),
  ];
}

/** @param {HealingFigure} figure */
function titleOf({ title, blockedMs, isMet }) {
  if (blockedMs === 0) return title;
  return `${title}; ${isMet ? `blocked by a transaction forgotten for ${duration(blockedMs)}` : "the forgotten transaction was in nobody's way"}`;
}

/** @param {HealingFigure} figure */
function whatIsLeft({ error, left: { open, statements, lostNotes } }) {
  const parts = [
    ...(error === null ? [] : [`failed: ${error.split('\n')[0]}`]),
    ...(open.length === 0 ? [] : [`open: ${[...new Set(open.map(({ object }) => object))].join(', ')}`]),
    ...(open.length === 0 && statements.length > 0
      ? [`TypeORM would still run ${statements.length} statements`]
      : []),
    ...(lostNotes === 0 ? [] : [`**lost: ${lostNotes.toLocaleString('en')} values of \`note\`**`]),
  ];
  // A bar would end the cell.
  return parts.join('; ').replaceAll('|', '\\|') || 'nothing';
}

/** @param {readonly LoadFigures[]} loads */
function legend(loads) {
  const connections = loads[0]?.extent.connections;
  return `Times of the requests of ${connections} connections while the tables are healed; in brackets just before, on the same copy of the data, while nobody heals.`;
}
