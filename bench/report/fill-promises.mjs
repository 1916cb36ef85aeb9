import { atLeast, atMost } from './promises.mjs';

/**
 * @import { FillerFigure, FillFigures } from '../fill/fill.mjs'
 * @import { PromiseKept } from './promises.mjs'
 */

/** Of the rows a second of one plain UPDATE. */
const SHARE_PERCENT = 70;
const P99_TIMES_IDLE = 2;

/**
 * What we promise of a backfill.
 * @param {readonly FillFigures[]} fills
 * @returns {PromiseKept[]} those whose figures are there
 */
export function holdFillPromises(fills) {
  return fills.flatMap(({ rows, fillers }) => {
    const named = (/** @type {string} */ name) => fillers.find(({ filler }) => filler === name);
    const us = named('us');
    return us ? promisesOf(`${rows.toLocaleString('en')} rows`, us, named('plain')) : [];
  });
}

/**
 * @param {string} where
 * @param {FillerFigure} us
 * @param {FillerFigure | undefined} plain
 */
function promisesOf(where, { alone, beside }, plain) {
  const unfilled = Math.max(alone.unfilled, beside.unfilled);
  const share = (alone.rowsPerSecond / (plain?.alone.rowsPerSecond ?? NaN)) * 100;
  // The queries of somebody who fills nothing prove nothing.
  const p99 = unfilled === 0 ? beside.queries.p99Ms / beside.idle.p99Ms : NaN;
  return [
    atMost(`${where}: rows left unfilled`, unfilled, 0, ''),
    atLeast(`${where}: rows a second, against one plain UPDATE`, share, SHARE_PERCENT, ' %'),
    atMost(`${where}: p99 of point queries, against idle`, p99, P99_TIMES_IDLE, '×'),
    atMost(`${where}: point queries that failed`, beside.queries.errors, 0, ''),
  ].filter((each) => each !== undefined);
}
