import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import { AutoMigrator, type AutoMigrationModuleOptions } from '../../src/index.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { startApplication } from './application.js';
import { block, blockIndexes, holdLock, sessionsOf } from './blocker.js';

const Stay = new EntitySchema({
  name: 'Stay',
  tableName: 'stay',
  columns: { id: { type: 'integer', primary: true }, nights: { type: 'integer', nullable: true } },
  indices: [{ name: 'idx_stay_nights', columns: ['nights'] }],
});

const BUILDER = `select pg_advisory_xact_lock(${Buffer.from('amshadow').readBigInt64BE()})`;
/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 20 };

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(
    'create table stay (id integer primary key); insert into stay select generate_series(1, 500)',
  );
});

/** So that the journal is there, and the column is to be healed once more. */
async function healBefore(): Promise<void> {
  await new AutoMigrator(await openDataSource(database.url, [Stay])).heal();
  await database.query('alter table stay drop column nights');
}

interface Case {
  readonly title: string;
  /** What keeps the healing from going on. */
  readonly obstacle: () => Promise<unknown>;
  /** How a statement that hangs there begins. */
  readonly hangsAt: RegExp;
  readonly migration?: AutoMigrationModuleOptions;
}

const cases: Case[] = [
  {
    title: 'a table is locked, and nothing gives way',
    obstacle: () => block(database, 'stay'),
    hangsAt: /^ALTER TABLE/i,
    migration: { lockTimeoutMs: 60_000 },
  },
  {
    title: 'another process builds its shadow',
    obstacle: () => holdLock(database, BUILDER),
    hangsAt: /desired|amshadow|rollback/,
  },
  {
    title: 'an index waits for a writer, and so does the removal of its carcass',
    obstacle: () => blockIndexes(database, 'stay'),
    hangsAt: /^CREATE INDEX CONCURRENTLY/i,
    // The column is there: only the index is missing.
    migration: { smallTableBytes: 0, shutdownTimeoutMs: 1000 },
  },
  {
    title: 'a fill takes long',
    obstacle: () => Promise.resolve(),
    hangsAt: /auto_migration_filled/,
    migration: {
      backfills: [{ table: 'stay', column: 'nights', expression: '(select 1 from pg_sleep(0.1 + 0 * id))' }],
    },
  },
  {
    title: 'somebody has locked the journal, whose records nobody cancels',
    obstacle: async () => {
      await healBefore();
      return holdLock(database, 'lock table auto_migration.run in exclusive mode');
    },
    hangsAt: /insert into auto_migration.run|insert into "auto_migration".run/,
    migration: { shutdownTimeoutMs: 1000 },
  },
];

test.each(cases)('a shutdown does not wait where $title', async ({ obstacle, hangsAt, migration, title }) => {
  if (title.startsWith('an index')) await database.query('alter table stay add nights integer');
  await obstacle();
  const { close } = await startApplication({
    database,
    entities: [Stay],
    migration: { execution: 'online', bootstrapBudgetMs: 100, ...migration },
  });
  await vi.waitFor(async () => {
    const texts = (await sessionsOf(database)).map(({ query }) => query);
    expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(hangsAt)]));
  }, patiently);
  const start = performance.now();
  await close();
  expect(performance.now() - start).toBeLessThan(4000);
  // Nothing of ours goes on waiting, and others behind it.
  await vi.waitFor(async () => expect(await sessionsOf(database)).toEqual([]), {
    ...patiently,
    timeout: 3000,
  });
});
