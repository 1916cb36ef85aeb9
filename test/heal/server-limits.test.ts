import { setTimeout as sleep } from 'node:timers/promises';
import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { POSTGRES_MAJOR } from '../setup/versions.js';

/** What a DBA may have set for the application's role or database, as short as can be. */
const LIMITS: [name: string, value: string, since?: number][] = [
  ['idle_in_transaction_session_timeout', '1s'],
  ['idle_session_timeout', '1s'],
  ['transaction_timeout', '1s', 17],
  ['statement_timeout', '1s'],
  ['lock_timeout', '1ms'],
];

/** Longer than any of them, whatever else the machine has to do. */
const LONG_MS = 2500;

const guest = new EntitySchema({
  name: 'guest',
  columns: {
    id: { type: 'integer', primary: true },
    name: { type: 'text', nullable: true },
    nick: { type: 'text', nullable: true },
  },
  indices: [{ name: 'guest_name', columns: ['name'] }],
});

const LEGACY = `create table guest (id integer primary key, name text);
  insert into guest select g, 'Guest ' || g from generate_series(1, 20) g`;

/** A session of somebody else's that is in the way for longer than the limits, which were set after it had begun. */
async function hold({ url }: TestDatabase, sql: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  return async () => {
    await sleep(LONG_MS);
    await client.end();
  };
}

interface Stretch {
  readonly title: string;
  /** What somebody else holds meanwhile. */
  readonly held: string;
  readonly options?: AutoMigratorOptions;
}

/** Where a healing takes long. */
const STRETCHES: Stretch[] = [
  {
    title: 'an index build waits for an older snapshot',
    held: 'begin isolation level repeatable read; select from pg_class',
  },
  {
    title: 'a fill comes to its end slowly',
    held: 'begin',
    options: {
      backfills: [{ table: 'guest', column: 'nick', expression: 'name', batchSize: 1, pauseMs: 75 }],
    },
  },
  {
    title: 'a data fix takes its time',
    held: 'begin',
    options: { dataFixes: [{ id: 'slow', transaction: 'none', run: () => sleep(LONG_MS) }] },
  },
  {
    title: 'another process is healing',
    held: `begin; select pg_advisory_xact_lock(1634560359, hashtext('auto_migration'))`,
  },
];

describe.concurrent('what the DBA has set for requests ends no healing', () => {
  test.each(STRETCHES)('$title', async ({ held, options = {} }) => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    const dataSource = await openDataSource(database.url, [guest]);
    const release = await hold(database, held);
    const own = new URL(database.url).pathname.slice(1);
    for (const [name, value, since = 0] of LIMITS)
      if (POSTGRES_MAJOR >= since) await database.query(`alter database ${own} set ${name} = '${value}'`);
    const migrator = new AutoMigrator(dataSource, { execution: 'online', ...options });
    const [report] = await Promise.all([migrator.heal(), release()]);
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    expect(await new AutoMigrator(dataSource, options).check()).toMatchObject({ verdict: 'in-sync' });
    const runs = await database.query('select outcome from auto_migration.run');
    expect(runs).toEqual([{ outcome: 'healed' }]);
  });
});
