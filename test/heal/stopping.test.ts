import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { HealingStoppedError } from '../../src/errors.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const table = (name: string): EntitySchema =>
  new EntitySchema({
    name,
    columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
  });
const ENTITIES = [table('pet'), table('stay')];
const [REASON, STOPPED] = ['the application shuts down', /^Stopped: the application shuts down/];
/** Whoever waits for what was never cancelled waits for longer. */
const SOON_MS = 4000;

const clients: pg.Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.end())));

let database: TestDatabase;
let stopping: AbortController;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(
    'create table pet (id integer primary key); create table stay (id integer primary key)',
  );
  stopping = new AbortController();
});

async function migratorOf(execution: 'online' | 'atomic'): Promise<AutoMigrator> {
  return new AutoMigrator(await openDataSource(database.url, ENTITIES), { execution });
}

const stop = (): void => stopping.abort(new HealingStoppedError(REASON));

/** Somebody else's session in a transaction. */
async function elsewhere(sql: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  clients.push(client);
  await client.connect();
  await client.query(`begin; ${sql}`);
  return client;
}

async function notes(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select attrelid::regclass::text as name from pg_attribute where attname = 'note' and attrelid in ('pet'::regclass, 'stay'::regclass)`,
  );
  return rows.map(({ name }) => name);
}

async function took(task: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await task;
  return performance.now() - start;
}

test('an abort between two statements of a transaction ends it: none is begun, and all is rolled back', async () => {
  const migrator = await migratorOf('atomic');
  const report = await migrator.heal({
    signal: stopping.signal,
    // Told right before the statement is sent, so that a request to cancel comes too late for the one before.
    onProgress: ({ step }) => void (step === 2 && stop()),
  });
  expect(report).toMatchObject({ outcome: 'failed', applied: [] });
  expect(report.failed).toMatchObject([{ object: 'public.stay.note' }]);
  expect(report.failed[0]?.error).toMatch(STOPPED);
  expect(await notes()).toEqual([]);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
});

test('an abort before the first step opens no run', async () => {
  const migrator = await migratorOf('online');
  const lookout = migrator['lookout'];
  const look = lookout.look.bind(lookout);
  let looks = 0;
  // The second one is made under the lock.
  vi.spyOn(lookout, 'look').mockImplementation(async (connection) => {
    const seen = await look(connection);
    if (++looks === 2) stop();
    return seen;
  });
  const report = await migrator.heal({ signal: stopping.signal });
  expect(report).toMatchObject({ outcome: 'failed', runId: null, applied: [], failed: [] });
  expect(report.error).toMatch(STOPPED);
  expect(await migrator.history()).toEqual([]);
  expect(await migrator.healer()).toBeNull();
});

describe.each([
  [
    'another process builds its shadow',
    `select pg_advisory_xact_lock(${Buffer.from('amshadow').readBigInt64BE()})`,
  ],
  [
    'a catalog is locked that the look reads',
    'lock table pg_catalog.pg_description in access exclusive mode',
  ],
])('while %s', (_title, sql) => {
  test.each(['heal', 'check'] as const)('a %s heeds the signal at once', async (name) => {
    const migrator = await migratorOf('online');
    const other = await elsewhere(sql);
    const looking = migrator[name]({ signal: stopping.signal });
    await new Promise((resolve) => setTimeout(resolve, 500));
    stop();
    expect(await took(looking)).toBeLessThan(SOON_MS);
    expect((await looking).error).toMatch(STOPPED);
    await other.query('rollback');
    expect(await migrator.history()).toEqual([]);
  });
});
