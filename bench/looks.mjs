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
 * @import { ScenarioFigures } from './scenarios.mjs'
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
 * @param {string} server
 * @param {Flags} flags
 * @param {readonly Contender[]} all
 * @param {boolean} withFootprints whether memory and the event loop are looked at, too
 * @returns {Promise<Measured>}
 */
export async function measureLooks(server, flags, all, withFootprints) {
  const extent = extentOf(flags);
  const contenders = chosenOf(all, flags).filter((contender) => !(flags.noPeers && INSTALLED.has(contender)));
  const withPeers = contenders.some((contender) => INSTALLED.has(contender));
  if (withPeers) ensurePeers();
  const looks = {
    scenarios: await measureScenarios(server, contenders, extent),
    footprints: withFootprints ? await measureFootprints(server, extent) : [],
  };
  return {
    figures: looks,
    promises: holdLookPromises(looks),
    markdown: looksMarkdown(looks),
    isWhole: !flags.quick && !flags.only && !flags.sizes && !flags.noPeers,
    withPeers,
  };
}

/**
 * @param {Flags} flags
 * @returns {Extent}
 */
function extentOf({ quick, sizes }) {
  const extent = quick ? QUICK : FULL;
  return sizes ? { ...extent, sizes, foreign: 0, distant: 0, footprints: [] } : extent;
}

/**
 * @param {string} server
 * @param {readonly Contender[]} contenders
 * @param {Extent} extent
 */
async function measureScenarios(server, contenders, extent) {
  const scenarios = [];
  for (const scenario of scenariosOf(extent)) {
    console.error(`${scenario.title} tables …`);
    scenarios.push(await measureScenario(server, scenario, contenders, extent.pace));
  }
  return scenarios;
}

/**
 * @param {string} server
 * @param {Extent} extent
 */
async function measureFootprints(server, extent) {
  const footprints = [];
  for (const tables of extent.footprints) {
    console.error(`memory and event loop with ${tables} tables …`);
    footprints.push(...(await measureFootprint(server, tables, extent.processes)));
  }
  return footprints;
}
