import { INSTALLED } from './contenders/table.mjs';
import { measureFootprint } from './footprint/footprint.mjs';
import { ensurePeers } from './peers/load.mjs';
import { chosenOf } from './flags.mjs';
import { looksMarkdown } from './report/looks.mjs';
import { holdLookPromises } from './report/promises.mjs';
import { measureScenario, scenariosOf } from './scenarios.mjs';

/**
 * @import { Flags, Measured } from './flags.mjs'
 * @import { Contender } from './contender.d.mts'
 * @import { FootprintFigure } from './footprint/footprint.mjs'
 * @import { Pace } from './measure.mjs'
 * @import { Scenario, ScenarioFigures } from './scenarios.mjs'
 */

/**
 * What looking and booting cost.
 * @typedef {object} Looks
 * @property {readonly ScenarioFigures[]} scenarios
 * @property {readonly FootprintFigure[]} footprints
 */

/**
 * How much is measured.
 * @typedef {object} Extent
 * @property {readonly number[]} sizes numbers of tables
 * @property {number} crowded tables of the application in a database with many others
 * @property {number} foreign that many
 * @property {number} distant tables of the application at the end of a slow link
 * @property {readonly number[]} footprints numbers of tables
 * @property {number} processes for each of them
 * @property {Pace} pace
 */

/** @type {Extent} */
const FULL = {
  sizes: [10, 100, 1_000, 5_000],
  crowded: 100,
  foreign: 5_000,
  distant: 100,
  footprints: [1_000, 5_000],
  processes: 5,
  pace: { rounds: 5, slowRounds: 3 },
};

/**
 * While working on the bench: all of it in half a minute.
 * @type {Extent}
 */
const QUICK = {
  sizes: [10, 100],
  crowded: 10,
  foreign: 100,
  distant: 10,
  footprints: [100],
  processes: 1,
  pace: { rounds: 2, slowRounds: 1 },
};

/**
 * Looks and boots in databases of several sizes.
 * @param {string} server
 * @param {Flags} flags
 * @param {readonly Contender[]} all
 * @returns {Promise<Measured>}
 */
export async function measureSizes(server, flags, all) {
  const { pace, ...extent } = extentOf(flags);
  const scenarios = scenariosOf({ sizes: flags.sizes ?? extent.sizes, crowded: 0, foreign: 0, distant: 0 });
  return measureLooks(server, flags, all, scenarios, pace);
}

/**
 * The same beside many tables of others, and at the end of a slow link.
 * @param {string} server
 * @param {Flags} flags
 * @param {readonly Contender[]} all
 * @returns {Promise<Measured>}
 */
export async function measureSurroundings(server, flags, all) {
  const { pace, ...extent } = extentOf(flags);
  return measureLooks(server, flags, all, scenariosOf({ ...extent, sizes: [] }), pace);
}

/**
 * What looks and boots do to the process of the application.
 * @param {string} server
 * @param {Flags} flags
 * @returns {Promise<Measured>}
 */
export async function measureFootprints(server, flags) {
  const { footprints: sizes, processes } = extentOf(flags);
  const footprints = [];
  for (const tables of flags.sizes ?? sizes) {
    console.error(`memory and event loop with ${tables} tables …`);
    footprints.push(...(await measureFootprint(server, tables, processes)));
  }
  return toMeasured(flags, { scenarios: [], footprints }, false);
}

/**
 * @param {string} server
 * @param {Flags} flags
 * @param {readonly Contender[]} all
 * @param {readonly Scenario[]} scenarios
 * @param {Pace} pace
 */
async function measureLooks(server, flags, all, scenarios, pace) {
  const contenders = chosenOf(all, flags).filter((contender) => !(flags.noPeers && INSTALLED.has(contender)));
  const withPeers = contenders.some((contender) => INSTALLED.has(contender));
  if (withPeers) ensurePeers();
  const measured = [];
  for (const scenario of scenarios) {
    console.error(`${scenario.title} tables …`);
    measured.push(await measureScenario(server, scenario, contenders, pace));
  }
  return toMeasured(flags, { scenarios: measured, footprints: [] }, withPeers);
}

/**
 * @param {Flags} flags
 * @param {Looks} looks
 * @param {boolean} withPeers
 * @returns {Measured}
 */
function toMeasured({ quick, only, sizes, noPeers }, looks, withPeers) {
  return {
    figures: looks,
    promises: holdLookPromises(looks),
    markdown: looksMarkdown(looks),
    isWhole: !quick && !only && !sizes && !noPeers,
    withPeers,
  };
}

/** @param {Flags} flags */
function extentOf({ quick }) {
  return quick ? QUICK : FULL;
}
