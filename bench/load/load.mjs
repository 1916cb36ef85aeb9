import { chosenOf } from '../flags.mjs';
import { loadMarkdown } from '../report/load.mjs';
import { holdLoadPromises } from '../report/load-promises.mjs';
import { copyDatabase, execute, newDatabase } from '../server.mjs';
import { HEALERS, HEALERS_OF_BLOCKED } from './healers.mjs';
import { measureHealing } from './healing.mjs';
import { createBookings } from './tables.mjs';

/**
 * @import { Flags, Measured } from '../flags.mjs'
 * @import { Database } from '../server.mjs'
 * @import { Healer } from './healer.d.mts'
 * @import { HealingFigure } from './healing.mjs'
 */

/**
 * @typedef {object} LoadFigures
 * @property {number} rows
 * @property {LoadExtent} extent
 * @property {readonly HealingFigure[]} healings
 */

/**
 * How much is measured.
 * @typedef {object} LoadExtent
 * @property {number} connections of the application
 * @property {number} warmUpMs until the cache is filled and the code compiled
 * @property {number} idleMs how long the application is watched while nobody heals
 * @property {number} blockedMs how long a forgotten transaction stays open once somebody waits for it
 * @property {number} limitMs after this a healing is broken off
 */

/** @type {LoadExtent} */
const FULL = {
  connections: 8,
  warmUpMs: 15_000,
  idleMs: 20_000,
  blockedMs: 20_000,
  limitMs: 25 * 60_000,
};

/** @type {LoadExtent} */
const QUICK = { connections: 8, warmUpMs: 3_000, idleMs: 2_000, blockedMs: 4_000, limitMs: 60_000 };

const FULL_ROWS = 2_000_000;
/** Not so few that the table counts as small, which may be rewritten at once. */
const QUICK_ROWS = 200_000;

/**
 * What the requests of an application wait for while its tables are healed.
 * @param {string} server
 * @param {Flags} flags
 * @returns {Promise<Measured>}
 */
export async function measureLoads(server, flags) {
  const extent = flags.quick ? QUICK : FULL;
  const sizes = flags.rows ?? [flags.quick ? QUICK_ROWS : FULL_ROWS];
  const healers = chosenOf(HEALERS, flags);
  const loads = [];
  for (const rows of sizes) {
    // What a forgotten transaction does hangs on its time, and not on the rows.
    const ofBlocked = rows <= FULL_ROWS ? healers.filter((each) => HEALERS_OF_BLOCKED.includes(each)) : [];
    loads.push(await measureLoad(server, rows, { healers, ofBlocked }, extent));
  }
  return {
    figures: { loads },
    promises: holdLoadPromises(loads),
    markdown: loadMarkdown(loads),
    isWhole: !flags.quick && !flags.only && sizes.every((rows) => rows >= FULL_ROWS),
    withPeers: false,
  };
}

/**
 * @param {string} server
 * @param {number} rows
 * @param {{ healers: readonly Healer[], ofBlocked: readonly Healer[] }} contenders
 * @param {LoadExtent} extent
 * @returns {Promise<LoadFigures>}
 */
async function measureLoad(server, rows, { healers, ofBlocked }, extent) {
  console.error(`${rows.toLocaleString('en')} rows …`);
  const original = await newDatabase(server);
  try {
    await execute(original.url, createBookings(rows));
    const healings = [];
    for (const healer of healers) healings.push(await measureOnCopy(original, healer, 0));
    for (const healer of ofBlocked) healings.push(await measureOnCopy(original, healer, extent.blockedMs));
    return { rows, extent, healings };
  } finally {
    await original.drop();
  }

  /**
   * @param {Database} from
   * @param {Healer} healer
   * @param {number} blockedMs
   */
  async function measureOnCopy(from, healer, blockedMs) {
    console.error(`  ${healer.title}${blockedMs > 0 ? ', blocked' : ''} …`);
    const copy = await copyDatabase(server, from);
    try {
      const figure = await measureHealing(copy.url, healer, { ...extent, rows, blockedMs });
      console.error(`    ${longestOf(figure)}`);
      return figure;
    } finally {
      await copy.drop();
    }
  }
}

/**
 * The longest request, and what was being done meanwhile: for whoever works on it.
 * @param {HealingFigure} figure
 */
function longestOf({ steps, healing: { slowest } }) {
  const [longest] = slowest;
  if (!longest) return 'no request at all';
  const { kind, ms, atMs } = longest;
  const during = steps.filter(
    (step) => step.endedAtMs >= atMs && step.endedAtMs - (step.ms ?? 0) <= atMs + ms,
  );
  return `longest: ${kind}, ${ms} ms, during: ${during.map(({ what }) => what).join(' | ') || 'unknown'}`;
}
