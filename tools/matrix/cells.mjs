import { POSTGRES, TYPEORM } from './versions.mjs';

/**
 * One version of PostgreSQL with one of TypeORM.
 * @typedef {object} Cell
 * @property {keyof typeof POSTGRES} postgres
 * @property {keyof typeof TYPEORM} typeorm
 */

/**
 * What runs in each of them: all but the tests of our own tools, and those that start a process, which would get the
 * installed TypeORM.
 */
export const FILES = Object.freeze([
  'test/approval',
  'test/auto-migrator',
  'test/desired',
  'test/fill',
  'test/heal',
  'test/kinds',
  'test/laws',
  'test/property',
  'test/renames',
  'test/rollback',
  'test/schema',
]);

/** The corners that differ most from what npm test runs on, and what tells most about them in little time. */
export const BOUNDED = Object.freeze({
  /** @type {readonly Cell[]} */
  cells: [
    { postgres: 14, typeorm: 1 },
    { postgres: 18, typeorm: 0.3 },
  ],
  files: ['test/auto-migrator/scenario', 'test/laws', 'test/schema'],
});

/**
 * Those asked for, each version of PostgreSQL with each of TypeORM.
 * @param {readonly string[]} postgres all where none is named
 * @param {readonly string[]} typeorm all where none is named
 * @returns {Cell[]}
 */
export function cellsOf(postgres, typeorm) {
  const rows = /** @type {Cell['postgres'][]} */ (chosen('PostgreSQL', POSTGRES, postgres));
  const columns = /** @type {Cell['typeorm'][]} */ (chosen('TypeORM', TYPEORM, typeorm));
  return rows.flatMap((row) => columns.map((column) => ({ postgres: row, typeorm: column })));
}

/**
 * @param {string} product
 * @param {object} versions
 * @param {readonly string[]} names
 */
function chosen(product, versions, names) {
  const known = Object.keys(versions);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`No ${product} ${unknown.join(' or ')} in the matrix; there are ${known.join(', ')}.`);
  return (names.length > 0 ? names : known).map(Number);
}
