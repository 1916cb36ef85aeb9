import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealProgress } from '../../src/heal/heal-progress.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const ENTITIES = [
  new EntitySchema({
    name: 'stay',
    columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
  }),
];

/** Other test files have databases of their own on the server. */
const VACUUMS = `select pid from pg_stat_progress_vacuum where datname = current_database() and relid = 'stay'::regclass`;

let database: TestDatabase;
let vacuuming: pg.Client;
let vacuum: Promise<unknown>;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(`create table stay (id integer constraint "PK_stay" primary key) with (autovacuum_enabled = false);
    insert into stay select g from generate_series(1, 50000) g`);
  vacuuming = new pg.Client({ connectionString: database.url });
  await vacuuming.connect();
  closeAfter('test', () => vacuuming.end());
  // It sleeps after each page, and so is at work for as long as the test needs.
  await vacuuming.query('set vacuum_cost_delay = 100; set vacuum_cost_limit = 1');
  vacuum = vacuuming.query('vacuum stay').catch(() => undefined);
  await vi.waitFor(
    async () => {
      const [at] = await database.query(VACUUMS);
      if (!at) throw new Error('it has not begun yet');
    },
    { timeout: 20_000, interval: 10 },
  );
});

async function endVacuum(): Promise<void> {
  await database.query(`select pg_cancel_backend(pid) from (${VACUUMS}) vacuums`);
  await vacuum;
}

test('nobody queues behind us while a table is being vacuumed: the step waits, and says so', async () => {
  const migrator = new AutoMigrator(await openDataSource(database.url, ENTITIES), { execution: 'online' });
  const phases: HealProgress['phase'][] = [];
  const healing = migrator.heal({ onProgress: ({ phase }) => phases.push(phase) });
  await vi.waitFor(() => expect(phases).toContainEqual(expect.stringMatching(/^waiting until VACUUM/)), {
    timeout: 20_000,
  });
  for (let look = 0; look < 15; look++) {
    expect(
      await database.query(`select from pg_locks where not granted and relation = 'stay'::regclass`),
    ).toEqual([]);
    await sleep(100);
  }
  expect(await database.query(`select from pg_attribute where attname = 'note'`)).toEqual([]);
  await endVacuum();
  expect(await healing).toMatchObject({ outcome: 'healed', failed: [], open: [] });
});

test('a shutdown does not wait for the vacuum', async () => {
  const migrator = new AutoMigrator(await openDataSource(database.url, ENTITIES), { execution: 'online' });
  const stopping = new AbortController();
  const onProgress = ({ phase }: HealProgress) => {
    if (phase?.startsWith('waiting until VACUUM')) stopping.abort();
  };
  expect(await migrator.heal({ onProgress, signal: stopping.signal })).toMatchObject({
    outcome: 'failed',
    applied: [],
    failed: [{ error: expect.stringContaining('Stopped') as string }],
  });
  expect(await database.query(VACUUMS)).toHaveLength(1);
  await endVacuum();
});
