import { DataSource } from 'typeorm';
import { AutoMigrator } from 'nestjs-auto-migration';
import { entitiesOf, SMALL_TABLE_BYTES } from './fault-cases.mjs';

/**
 * @import { MigrationInterface, QueryRunner } from 'typeorm'
 * @import { AutoMigratorOptions, DataFixDefinition } from 'nestjs-auto-migration'
 * @import { FaultCase } from './fault-cases.mjs'
 */

/** @implements {MigrationInterface} */
class AddCode1700000000001 {
  /** @param {QueryRunner} queryRunner */
  async up(queryRunner) {
    await queryRunner.query('alter table migrated add code text');
  }
  async down() {}
}

/** A row for each time that it runs: twice would show. @implements {MigrationInterface} */
class AddRow1700000000002 {
  /** @param {QueryRunner} queryRunner */
  async up(queryRunner) {
    await queryRunner.query(`insert into migrated (id, code) select count(*) + 1, 'migrated' from migrated`);
  }
  async down() {}
}

/** @type {DataFixDefinition[]} */
const dataFixes = [
  {
    id: 'fix-1',
    // It is not idempotent: its transaction makes that it takes effect once.
    run: (manager) => manager.query(`update fixed set code = code || '!'`),
  },
  {
    id: 'fix-2',
    transaction: 'none',
    run: async (manager) => {
      await manager.query(`update fixed set code = 'low' where id < 10`);
      await manager.query(`update fixed set code = 'high' where id > 30`);
    },
  },
];

/** @type {AutoMigratorOptions} */
const options = {
  execution: 'online',
  names: 'align',
  smallTableBytes: SMALL_TABLE_BYTES,
  runMigrations: true,
  renamedFrom: { tables: { renamed: ['renamed_before'] }, columns: { 'renamed.code': ['label'] } },
  backfills: [{ table: 'filled', column: 'nick', expression: 'lower(code)', batchSize: 15, pauseMs: 0 }],
};

/**
 * The application that is killed while it heals, up to the healing.
 *
 * @param {string} url
 * @param {readonly FaultCase[]} cases what it is about
 * @param {object} driver the package pg
 */
export async function openSubject(url, cases, driver) {
  /** @param {string} table */
  const has = (table) => cases.some((each) => each.table === table);
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    driver,
    entities: cases.flatMap(entitiesOf),
    migrations: has('migrated') ? [AddCode1700000000001, AddRow1700000000002] : [],
    migrationsTransactionMode: 'each',
  });
  await dataSource.initialize();
  return {
    dataSource,
    /** As a new process has it. */
    migrator: () => new AutoMigrator(dataSource, { ...options, dataFixes: has('fixed') ? dataFixes : [] }),
  };
}
