import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** `pet` is free, so that one sees that only the blocked table waits. */
const ENTITIES = [
  new EntitySchema({
    name: 'stay',
    columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
  }),
  new EntitySchema({ name: 'pet', columns: { id: { type: 'integer', primary: true } } }),
];

const LEGACY = 'create table stay (id integer primary key); insert into stay values (1)';

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 10 };

const clients: pg.Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.end())));

async function connectTo({ url }: TestDatabase, settings: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...settings });
  clients.push(client);
  await client.connect();
  return client;
}

/** A session that has read from the table and not ended its transaction: it holds ACCESS SHARE. */
async function block(database: TestDatabase): Promise<pg.Client> {
  const blocker = await connectTo(database);
  await blocker.query('begin; select count(*) from stay');
  return blocker;
}

async function prepared(lockTimeoutMs: number): Promise<{ database: TestDatabase; migrator: AutoMigrator }> {
  const database = await createTestDatabase();
  await database.query(LEGACY);
  const dataSource = await openDataSource(database.url, ENTITIES);
  return { database, migrator: new AutoMigrator(dataSource, { execution: 'online', lockTimeoutMs }) };
}

/** Whether one of our statements is waiting for the table. */
async function isWaiting(database: TestDatabase): Promise<boolean> {
  const waiting = await database.query(
    `select from pg_locks where relation = 'stay'::regclass and mode = 'AccessExclusiveLock' and not granted`,
  );
  return waiting.length > 0;
}

describe.concurrent('a table that another session uses', () => {
  test('who looks at the waiting session is in no transaction: a concurrent index build would wait for its end', async () => {
    const { database, migrator } = await prepared(200);
    const blocker = await block(database);
    const healing = migrator.heal();
    const lookers = await vi.waitFor(async () => {
      const found = await database.query<{ state: string }>(
        `select state from pg_stat_activity
         where datname = current_database() and query like '%pg_stat_progress_create_index%' and pid <> pg_backend_pid()`,
      );
      expect(found).toHaveLength(1);
      return found;
    }, patiently);
    expect(lookers[0]?.state).not.toBe('idle in transaction');
    await blocker.query('commit');
    expect(await healing).toMatchObject({ outcome: 'healed' });
  });

  test('the change gives way, is tried again, and succeeds when the other is done', async () => {
    const { database, migrator } = await prepared(200);
    const blocker = await block(database);
    const healing = migrator.heal();
    // It waits, gives way, and waits once more: only then the other lets go.
    for (const expected of [true, false, true]) {
      await vi.waitFor(async () => expect(await isWaiting(database)).toBe(expected), patiently);
    }
    await blocker.query('commit');
    const report = await healing;
    expect(report).toMatchObject({ outcome: 'healed', failed: [], open: [], error: null });
    const [run] = await migrator.history();
    expect(run?.steps.map(({ object, outcome }) => [object, outcome])).toEqual([
      ['public.pet', 'applied'],
      ['public.stay.note', 'applied'],
    ]);
  });

  test('one that stays leaves the change open, with a reason, and stops nobody who reads meanwhile', async () => {
    const { database, migrator } = await prepared(100);
    const blocker = await block(database);
    // The server ends a SELECT that waits longer than this for its lock. Ours may wait 100 ms and the SELECT behind it.
    const reader = await connectTo(database, { options: '-c lock_timeout=3000' });
    let reads = 0;
    const ended = new AbortController();
    const healing = migrator.heal().finally(() => ended.abort());
    while (!ended.signal.aborted) {
      const { rows } = await reader.query<{ count: number }>('select count(*)::int from stay');
      reads += rows[0]?.count ?? 0;
    }
    const report = await healing;
    const error = expect.stringMatching(
      /^canceling statement due to lock timeout; waited for pid \d+ \(no application name, idle in transaction since 20\S+Z\)\. Rolled back: public\.stay stays as it was$/,
    ) as string;
    expect(report).toMatchObject({ outcome: 'partly-healed', error: null });
    expect(report.applied.map(({ object }) => object)).toEqual(['public.pet']);
    expect(report.failed).toEqual([
      {
        object: 'public.stay.note',
        action: 'add column',
        sql: 'ALTER TABLE "public"."stay" ADD COLUMN "note" text',
        error,
        blockedBy: [expect.objectContaining({ state: 'idle in transaction' })],
      },
    ]);
    expect(report.open).toMatchObject([
      {
        object: 'public.stay.note',
        disposition: 'open',
        reason: `add column failed: ${report.failed[0]?.error}`,
      },
    ]);
    expect(reads).toBeGreaterThan(10);

    // Given up for now only: the next run does it.
    const check = await migrator.check();
    expect(check.drift).toContainEqual(
      expect.objectContaining({ object: 'public.stay.note', disposition: 'heal', reason: null }),
    );
    await blocker.query('commit');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
  });

  test('a deadlock is tried again, too', async () => {
    const database = await createTestDatabase();
    await database.query(`${LEGACY}; create table other (id integer primary key)`);
    const other = new EntitySchema({
      name: 'other',
      columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
    });
    const dataSource = await openDataSource(database.url, [other, ...ENTITIES]);
    const migrator = new AutoMigrator(dataSource, { execution: 'atomic', lockTimeoutMs: 60_000 });
    const blocker = await connectTo(database, { options: '-c deadlock_timeout=60s' });
    await blocker.query('begin; select count(*) from stay');
    const healing = migrator.heal();
    // Ours has changed other and waits for stay; when the blocker wants other, the server ends ours after a second.
    await vi.waitFor(async () => expect(await isWaiting(database)).toBe(true), patiently);
    await blocker.query('select count(*) from other; commit');
    expect(await healing).toMatchObject({ outcome: 'healed', failed: [], error: null });
    const deadlocks = 'select deadlocks::int from pg_stat_database where datname = current_database()';
    await vi.waitFor(
      async () => expect(await database.query(deadlocks)).toEqual([{ deadlocks: 1 }]),
      patiently,
    );
  });
});
