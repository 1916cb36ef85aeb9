import { BOOTS, CHECKS, PEERS } from './contenders/table.mjs';

/**
 * @import { Contender } from './contender.d.mts'
 * @import { Pace } from './measure.mjs'
 */

/**
 * @typedef {object} Command
 * @property {string} about
 * @property {readonly Contender[]} contenders
 * @property {boolean} footprints whether memory and the event loop are looked at, too
 */

/** @type {Readonly<Record<string, Command>>} */
export const COMMANDS = {
  check: {
    about: 'looking at a database that is in sync, by us and by others, and booting on it',
    contenders: [...CHECKS, ...BOOTS, ...PEERS],
    footprints: true,
  },
  boot: {
    about: 'booting on a database that is in sync',
    contenders: BOOTS,
    footprints: false,
  },
};

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
export const FULL = {
  sizes: [10, 100, 1_000, 5_000],
  crowded: 100,
  foreign: 5_000,
  distant: 100,
  footprints: [1_000, 5_000],
  processes: 5,
  pace: { rounds: 5, slowRounds: 3 },
};

/**
 * For a test, or while working on the bench: all of it in half a minute.
 * @type {Extent}
 */
export const QUICK = {
  sizes: [10, 100],
  crowded: 10,
  foreign: 100,
  distant: 10,
  footprints: [100],
  processes: 1,
  pace: { rounds: 2, slowRounds: 1 },
};
