import { chosenOf } from '../flags.mjs';
import { fillMarkdown } from '../report/fill.mjs';
import { holdFillPromises } from '../report/fill-promises.mjs';
import { copyDatabase, execute, newDatabase } from '../server.mjs';
import { measureBesideQueries, measureFilling } from './filling.mjs';
import { FILLERS } from './fillers.mjs';
import { createUnfilled } from './tables.mjs';

/**
 * @import { Flags, Measured } from '../flags.mjs'
 * @import { Healer } from '../load/healer.d.mts'
 * @import { Database } from '../server.mjs'
 * @import { Filling, FillingBesideQueries } from './filling.mjs'
 */

/**
 * @typedef {object} FillFigures
 * @property {number} rows
 * @property {FillExtent} extent
 * @property {readonly FillerFigure[]} fillers
 */

/**
 * @typedef {object} FillerFigure
 * @property {string} filler
 * @property {string} title
 * @property {Filling} alone on a server that has nothing else to do
 * @property {FillingBesideQueries} beside
 */

/**
 * How much is measured.
 * @typedef {object} FillExtent
 * @property {number} connections that ask for rows by their keys, meanwhile
 * @property {number} warmUpMs until the cache is filled and the code compiled
 * @property {number} idleMs how long they are watched while nobody fills
 * @property {number} limitMs after this a filling is broken off
 */

/**
 * Two connections, as the server is to have a core left.
 * @type {FillExtent}
 */
const FULL = { connections: 2, warmUpMs: 15_000, idleMs: 20_000, limitMs: 15 * 60_000 };

/** @type {FillExtent} */
const QUICK = { connections: 2, warmUpMs: 3_000, idleMs: 2_000, limitMs: 60_000 };

const FULL_ROWS = 2_000_000;
const QUICK_ROWS = 200_000;

/**
 * How fast a column is filled, and what queries wait for meanwhile.
 * @param {string} server
 * @param {Flags} flags
 * @returns {Promise<Measured>}
 */
export async function measureFills(server, flags) {
  const extent = flags.quick ? QUICK : FULL;
  const sizes = flags.rows ?? [flags.quick ? QUICK_ROWS : FULL_ROWS];
  const fillers = chosenOf(FILLERS, flags);
  const fills = [];
  for (const rows of sizes) fills.push(await measureFill(server, rows, fillers, extent));
  return {
    figures: { fills },
    promises: holdFillPromises(fills),
    markdown: fillMarkdown(fills),
    isWhole: !flags.quick && !flags.only && sizes.every((rows) => rows >= FULL_ROWS),
    withPeers: false,
  };
}

/**
 * @param {string} server
 * @param {number} rows
 * @param {readonly Healer[]} fillers
 * @param {FillExtent} extent
 * @returns {Promise<FillFigures>}
 */
async function measureFill(server, rows, fillers, extent) {
  console.error(`${rows.toLocaleString('en')} rows …`);
  const original = await newDatabase(server);
  try {
    await execute(original.url, createUnfilled(rows));
    /** @type {FillerFigure[]} */
    const figures = [];
    for (const filler of fillers) {
      console.error(`  ${filler.title} …`);
      const { name, title } = filler;
      const alone = await onCopy(server, original, (url) => measureFilling(url, filler, extent.limitMs));
      const beside = await onCopy(server, original, (url) =>
        measureBesideQueries(url, filler, { ...extent, rows }),
      );
      figures.push({ filler: name, title, alone, beside });
    }
    return { rows, extent, fillers: figures };
  } finally {
    await original.drop();
  }
}

/**
 * @template Value
 * @param {string} server
 * @param {Database} original
 * @param {(url: string) => Promise<Value>} task
 */
async function onCopy(server, original, task) {
  const copy = await copyDatabase(server, original);
  try {
    return await task(copy.url);
  } finally {
    await copy.drop();
  }
}
