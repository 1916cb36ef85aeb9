import { EntitySchema, type DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource, type PostgresOptions } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const guest = new EntitySchema({
  name: 'guest',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text', nullable: true } },
});

/** What the migrations below did, row by row: a migration that runs twice would show. */
const LOG = 'create table log (entry text); create table guest (id integer primary key)';

class First1700000000001 implements MigrationInterface {
  up(queryRunner: QueryRunner): Promise<unknown> {
    return queryRunner.query(`insert into log values ('first')`);
  }
  async down(): Promise<void> {}
}

/** The column that the entity wants, by hand: the healing has nothing left to do. */
class Second1700000000002 implements MigrationInterface {
  up(queryRunner: QueryRunner): Promise<unknown> {
    return queryRunner.query(`alter table guest add name text; insert into log values ('second')`);
  }
  async down(): Promise<void> {}
}

class Broken1700000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`insert into log values ('broken')`);
    await queryRunner.query('select 1 / 0');
  }
  async down(): Promise<void> {}
}

class Fourth1700000000004 extends First1700000000001 {}

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(LOG);
});

const open = (
  migrations: NonNullable<PostgresOptions['migrations']>,
  options: PostgresOptions = {},
): Promise<DataSource> => openDataSource(database.url, [guest], { migrations, ...options });

const migratorOf = (dataSource: DataSource, options: AutoMigratorOptions = {}): AutoMigrator =>
  new AutoMigrator(dataSource, { execution: 'online', runMigrations: true, ...options });

const log = async (): Promise<unknown[]> =>
  (await database.query('select entry from log')).map(({ entry }) => entry);

/** Runs after the healing, on the column that the migration or the healing has made. */
const fix = {
  id: 'fix',
  run: (manager: { query(sql: string): Promise<unknown> }) =>
    manager.query(`insert into log select 'fix' from (select count(name) from guest) named`),
};

test('pending migrations run before the healing, in order, and before the data fixes', async () => {
  const dataSource = await open([Second1700000000002, First1700000000001]);
  const migrator = migratorOf(dataSource, { dataFixes: [fix] });
  const told: string[][] = [];
  const report = await migrator.heal({ onMigrations: (names) => told.push([...names]) });
  expect(report).toMatchObject({
    outcome: 'healed',
    error: null,
    applied: [],
    migrations: [
      { name: 'First1700000000001', outcome: 'applied' },
      { name: 'Second1700000000002', outcome: 'applied' },
    ],
    dataFixes: [{ id: 'fix', outcome: 'applied' }],
  });
  expect(told).toEqual([['First1700000000001', 'Second1700000000002']]);
  expect(await log()).toEqual(['first', 'second', 'fix']);
  expect(await dataSource.showMigrations()).toBe(false);
  const [run] = await migrator.history();
  expect(run?.steps.map(({ action, object, outcome }) => [action, object, outcome])).toEqual([
    ['migration', 'First1700000000001', 'applied'],
    ['migration', 'Second1700000000002', 'applied'],
    ['data fix', 'fix', 'applied'],
  ]);
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null, migrations: [] });
  expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ runId: null, migrations: [] });
});

test('without the option, and with policy off, they are left to others', async () => {
  const dataSource = await open([First1700000000001]);
  expect(await migratorOf(dataSource, { runMigrations: false }).heal()).toMatchObject({ migrations: [] });
  expect(await migratorOf(dataSource, { policy: 'off' }).heal()).toMatchObject({ migrations: [] });
  expect(await log()).toEqual([]);
});

test('of four processes that start at once one runs them', async () => {
  const migrators = await Promise.all(
    [1, 2, 3, 4].map(async () => migratorOf(await open([First1700000000001, Second1700000000002]))),
  );
  const reports = await Promise.all(migrators.map((migrator) => migrator.heal({ trigger: 'bootstrap' })));
  expect(reports.map(({ error }) => error)).toEqual([null, null, null, null]);
  expect(reports.flatMap(({ migrations }) => migrations)).toHaveLength(2);
  expect(await log()).toEqual(['first', 'second']);
});

describe('a migration that fails', () => {
  const MIGRATIONS = [First1700000000001, Broken1700000000003, Fourth1700000000004];

  test.each([
    ['all', ['rolled-back', 'failed', 'left-out'], []],
    ['each', ['applied', 'failed', 'left-out'], ['first']],
    ['none', ['applied', 'failed', 'left-out'], ['first', 'broken']],
  ] as const)("is told, with migrationsTransactionMode '%s'", async (mode, outcomes, entries) => {
    const dataSource = await open(MIGRATIONS, { migrationsTransactionMode: mode });
    const migrator = migratorOf(dataSource, { dataFixes: [fix] });
    const report = await migrator.heal();
    expect(report.migrations.map(({ outcome }) => outcome)).toEqual(outcomes);
    expect(report.migrations[1]?.error).toBe('division by zero');
    expect(await log()).toEqual(entries);
    // By default nothing else is tried on a schema that is not what the migrations meant.
    expect(report).toMatchObject({ applied: [], dataFixes: [{ outcome: 'left-out' }] });
    expect(report.open).toMatchObject([
      {
        object: 'public.guest.name',
        disposition: 'heal',
        reason: 'it waits for the migration Broken1700000000003, which failed; the next run tries both',
      },
    ]);
    const [run] = await migrator.history();
    expect(run).toMatchObject({
      outcome: mode === 'all' ? 'failed' : 'partly-healed',
      error: 'The migration Broken1700000000003 failed: division by zero',
    });
    expect(run?.steps.map(({ outcome }) => outcome)).toEqual(outcomes.slice(0, 2));
  });

  test("is gone past with onStageFailure.migrations 'continue'", async () => {
    const migrator = migratorOf(await open(MIGRATIONS), {
      dataFixes: [fix],
      onStageFailure: { migrations: 'continue' },
    });
    expect(await migrator.heal()).toMatchObject({
      outcome: 'partly-healed',
      applied: [{ object: 'public.guest.name' }],
      dataFixes: [{ outcome: 'applied' }],
    });
  });

  test('is tried again at the next tick', async () => {
    await database.query('alter table guest add name text');
    const migrator = migratorOf(await open([Broken1700000000003]));
    await migrator.heal({ trigger: 'bootstrap' });
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ migrations: [{ outcome: 'failed' }] });
  });

  test('that TypeORM refuses as a whole says why', async () => {
    class Alone1700000000005 extends First1700000000001 {
      transaction = false;
    }
    const report = await migratorOf(await open([Alone1700000000005])).heal();
    expect(report.migrations).toMatchObject([
      { outcome: 'failed', error: expect.stringContaining('transaction') as string },
    ]);
  });
});
