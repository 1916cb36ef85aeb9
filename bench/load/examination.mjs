import { AutoMigrator } from '../subject.mjs';

/** @import { DataSource } from 'typeorm' */

/**
 * What is wrong with the database after somebody healed it.
 * @typedef {object} Examination
 * @property {readonly OpenFinding[]} open what `AutoMigrator.check()` still finds
 * @property {readonly string[]} statements that TypeORM would still run
 * @property {number} lostNotes rows whose `note` was there before
 */

/**
 * @typedef {object} OpenFinding
 * @property {string} kind
 * @property {string} object
 * @property {string | null} reason
 */

/**
 * @param {DataSource} dataSource
 * @returns {Promise<Examination>}
 */
export async function examine(dataSource) {
  const { drift, error } = await new AutoMigrator(dataSource).check();
  if (error) throw new Error(`The healed database cannot be looked at: ${error}`);
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  /** @type {{ lost: number }[]} */
  const counted = await dataSource.query('select count(*)::int as lost from booking where note is null');
  return {
    open: drift
      .filter(({ disposition }) => disposition === 'heal' || disposition === 'open')
      .map(({ kind, object, reason }) => ({ kind, object, reason })),
    statements: upQueries.map(({ query }) => query),
    lostNotes: counted[0]?.lost ?? 0,
  };
}
