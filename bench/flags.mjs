/** @import { PromiseKept } from './report/promises.mjs' */

/**
 * What is asked for on the command line.
 * @typedef {object} Flags
 * @property {boolean} quick
 * @property {readonly string[] | undefined} only names of contenders
 * @property {readonly number[] | undefined} sizes numbers of tables
 * @property {readonly number[] | undefined} rows
 * @property {boolean} noPeers
 */

/**
 * @typedef {object} Measured
 * @property {object} figures for the JSON
 * @property {readonly PromiseKept[]} promises
 * @property {string} markdown the figures as tables
 * @property {boolean} isWhole everything that the command is meant to measure, at full size
 * @property {boolean} withPeers whether tools took part that are no dependencies of the repository
 */

/**
 * Those contenders that are asked for.
 * @template {{ readonly name: string }} Contender
 * @param {readonly Contender[]} contenders
 * @param {Pick<Flags, 'only'>} flags
 */
export function chosenOf(contenders, { only }) {
  const unknown = only?.filter((each) => !contenders.some(({ name }) => name === each)) ?? [];
  if (unknown.length > 0) throw new Error(`No contender is called ${unknown.join(' or ')}.`);
  return contenders.filter(({ name }) => only?.includes(name) ?? true);
}
