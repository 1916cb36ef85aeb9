import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from '../measure.mjs';
import { createDatabase, execute } from '../server.mjs';

/** @import { Footprint } from './watch-process.mjs' */

/**
 * @typedef {object} ApplicationOrder
 * @property {string} url
 * @property {number} tables
 * @property {boolean} isKnown whether its entities were seen before
 */

/**
 * The medians of several processes.
 * @typedef {Footprint & { tables: number, processes: number, worstStallMs: number }} FootprintFigure
 */

const APPLICATION = fileURLToPath(new URL('application.mjs', import.meta.url));

/**
 * What a boot, a full check and a check in the steady state do to the process of an application.
 * @param {string} server
 * @param {number} tables
 * @param {number} processes
 * @returns {Promise<FootprintFigure[]>}
 */
export async function measureFootprint(server, tables, processes) {
  const database = await createDatabase(server, { tables, foreign: 0 });
  /** @type {Footprint[]} */
  const footprints = [];
  try {
    for (let round = 0; round < processes; round++) {
      await execute(database.url, ['drop schema if exists auto_migration cascade']);
      const [first] = await startApplication({ url: database.url, tables, isKnown: false });
      const later = await startApplication({ url: database.url, tables, isKnown: true });
      footprints.push(...(first ? [first] : []), ...later);
    }
  } finally {
    await database.drop();
  }
  const works = [...new Set(footprints.map(({ work }) => work))];
  return works.map((work) => ({
    tables,
    processes,
    ...summary(
      work,
      footprints.filter((footprint) => footprint.work === work),
    ),
  }));
}

/**
 * @param {ApplicationOrder} order
 * @returns {Promise<Footprint[]>}
 */
async function startApplication(order) {
  const run = await promisify(execFile)(process.execPath, [APPLICATION, JSON.stringify(order)]);
  return /** @type {Footprint[]} */ (JSON.parse(run.stdout));
}

/**
 * @param {string} work
 * @param {readonly Footprint[]} footprints
 */
function summary(work, footprints) {
  /** @param {(footprint: Footprint) => number} of */
  const medianOf = (of) => tenths(median(footprints.map(of)));
  return {
    work,
    ms: medianOf(({ ms }) => ms),
    rssAboveIdleMb: medianOf(({ rssAboveIdleMb }) => rssAboveIdleMb),
    heapKeptMb: medianOf(({ heapKeptMb }) => heapKeptMb),
    longestStallMs: medianOf(({ longestStallMs }) => longestStallMs),
    worstStallMs: tenths(Math.max(...footprints.map(({ longestStallMs }) => longestStallMs))),
  };
}

/** @param {number} value */
function tenths(value) {
  return Math.round(value * 10) / 10;
}
