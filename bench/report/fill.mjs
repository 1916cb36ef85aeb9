import { duration, table } from './markdown.mjs';

/**
 * @import { FillerFigure, FillFigures } from '../fill/fill.mjs'
 * @import { Filling } from '../fill/filling.mjs'
 * @import { Window } from '../load/recorder.mjs'
 */

/**
 * How fast a column was filled, as Markdown.
 * @param {readonly FillFigures[]} fills
 */
export function fillMarkdown(fills) {
  return [...fills.map(fillTable), legend(fills)].join('\n\n');
}

/** @param {FillFigures} fill */
function fillTable({ rows, fillers }) {
  const head = [
    'rows/s, alone',
    'rows/s, beside queries',
    'p50',
    'p99',
    'p99.9',
    'longest',
    'errors',
    'left',
  ];
  return table([`${rows.toLocaleString('en')} rows, filled by`, ...head], fillers.map(toRow));
}

/** @param {FillerFigure} figure */
function toRow({ title, alone, beside }) {
  const { idle, queries } = beside;
  const both = (/** @type {(window: Window) => string} */ of) => `${of(queries)} (${of(idle)})`;
  return [
    title,
    rate(alone),
    rate(beside),
    both(({ p50Ms }) => duration(p50Ms)),
    both(({ p99Ms }) => duration(p99Ms)),
    both(({ p999Ms }) => duration(p999Ms)),
    both(({ longestMs }) => duration(longestMs)),
    both(({ errors }) => `${errors}`),
    [alone, beside].map(whatIsLeft).find(Boolean) ?? 'nothing',
  ];
}

/** @param {Filling} filling */
function rate({ filled, rowsPerSecond }) {
  return filled === 0 ? '–' : rowsPerSecond.toLocaleString('en');
}

/** @param {Filling} filling */
function whatIsLeft({ unfilled, error }) {
  const parts = [
    ...(error === null ? [] : [`failed: ${error.split('\n')[0]}`]),
    ...(unfilled === 0 ? [] : [`open: ${unfilled.toLocaleString('en')} rows`]),
  ];
  // A bar would end the cell.
  return parts.join('; ').replaceAll('|', '\\|');
}

/** @param {readonly FillFigures[]} fills */
function legend(fills) {
  const connections = fills[0]?.extent.connections;
  return `Times of the queries of ${connections} connections, each of which reads one row by its key, while the column is filled; in brackets just before, on the same copy of the data.`;
}
