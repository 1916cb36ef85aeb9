import { BOOTS, CHECKS, PEERS } from './contenders/table.mjs';
import { measureFills } from './fill/fill.mjs';
import { measureLoads } from './load/load.mjs';
import { measureFootprints, measureSizes, measureSurroundings } from './looks.mjs';

/** @import { Flags, Measured } from './flags.mjs' */

/**
 * @typedef {object} Command
 * @property {string} about
 * @property {(server: string, flags: Flags) => Promise<Measured>} measure
 */

/** @type {Readonly<Record<string, Command>>} */
export const COMMANDS = {
  check: {
    about: 'looking at a database that is in sync, by us and by others, and booting on it',
    measure: (server, flags) => measureSizes(server, flags, [...CHECKS, ...BOOTS, ...PEERS]),
  },
  surroundings: {
    about: 'the same beside many tables of others, and at the end of a slow link',
    measure: (server, flags) => measureSurroundings(server, flags, [...CHECKS, ...BOOTS, ...PEERS]),
  },
  footprint: {
    about: 'what looks and boots do to the memory and the event loop of the application',
    measure: measureFootprints,
  },
  load: {
    about: 'what the requests of an application wait for while its tables are healed, by us and by others',
    measure: measureLoads,
  },
  fill: {
    about: 'how fast a column is filled in the rows that are there, and what queries wait for meanwhile',
    measure: measureFills,
  },
};
