import { atMost } from './promises.mjs';

/**
 * @import { HealingFigure } from '../load/healing.mjs'
 * @import { LoadFigures } from '../load/load.mjs'
 * @import { PromiseKept } from './promises.mjs'
 */

const LONGEST_MS = 50;
const P99_TIMES_IDLE = 3;
/** A lock is waited for a second, with everybody else queued behind; the rest is what a busy machine adds. */
const LONGEST_BLOCKED_MS = 1_100;
/** From the least to the most rows; what does not grow with them still varies. */
const GROWTH = 1.5;

/**
 * What we promise to the requests of an application while we heal its tables.
 * @param {readonly LoadFigures[]} loads
 * @returns {PromiseKept[]} those whose figures are there
 */
export function holdLoadPromises(loads) {
  const ours = loads.flatMap(({ rows, healings }) =>
    healings
      .filter(({ healer, blockedMs, isMet }) => healer === 'us' && (blockedMs === 0 || isMet))
      .map((healing) => ({ rows, healing })),
  );
  const free = ours.filter(({ healing }) => healing.blockedMs === 0);
  return [
    ...ours.flatMap(({ rows, healing }) => promisesOf(rows, healing)),
    ...(free.length > 1 ? [growthOf(free)] : []),
  ].filter((each) => each !== undefined);
}

/**
 * @param {number} rows
 * @param {HealingFigure} figure
 */
function promisesOf(rows, { blockedMs, idle, healing, error, left }) {
  const where = `${rows.toLocaleString('en')} rows${blockedMs > 0 ? ', blocked' : ''}`;
  const isBlocked = blockedMs > 0;
  return [
    atMost(`${where}: requests that failed`, healing.errors, 0, ''),
    atMost(
      `${where}: longest request`,
      healing.longestMs,
      isBlocked ? LONGEST_BLOCKED_MS : LONGEST_MS,
      ' ms',
    ),
    // While a lock is waited for, whoever comes later waits, too: that is what the longest request tells.
    isBlocked
      ? undefined
      : atMost(`${where}: p99, against idle`, healing.p99Ms / idle.p99Ms, P99_TIMES_IDLE, '×'),
    atMost(`${where}: findings left open`, left.open.length + (error === null ? 0 : 1), 0, ''),
  ];
}

/** @param {readonly { readonly rows: number, readonly healing: HealingFigure }[]} ours */
function growthOf(ours) {
  const sorted = ours.toSorted((a, b) => a.rows - b.rows);
  const longest = sorted.map(({ healing }) => healing.healing.longestMs);
  const [least = NaN, most = NaN] = [longest[0], longest.at(-1)];
  const [from, to] = [sorted[0]?.rows, sorted.at(-1)?.rows].map((rows) => rows?.toLocaleString('en'));
  return atMost(`Growth of the longest request from ${from} to ${to} rows`, most / least, GROWTH, '×');
}
