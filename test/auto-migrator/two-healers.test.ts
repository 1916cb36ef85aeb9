import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { connectorOf } from '../../src/desired/data-source.js';
import { HealingStoppedError } from '../../src/errors.js';
import { acquireHealerLock, type HealerLock } from '../../src/heal/healer-lock.js';
import type { Execution } from '../../src/plan/proposal.js';
import type { Connect } from '../../src/schema/connection.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { HOTEL } from './hotel-entities.js';
import { openDataSource } from './open-data-source.js';

const JOURNAL = 'auto_migration';
const never = new AbortController().signal;
/** On a busy machine, too. */
const patiently = { timeout: 10_000 };

async function lockOf(connect: Connect): Promise<HealerLock> {
  const lock = await acquireHealerLock(connect, JOURNAL, 0, never);
  if (!lock) throw new Error('somebody else holds the lock');
  return lock;
}

describe.each<Execution>(['online', 'atomic'])(
  'two healers at the same moment, execution %s',
  (execution) => {
    test('one heals, the other waits for it and has nothing left to do; each step is written down once', async () => {
      const database = await createTestDatabase({ template: 'hotel' });
      const [one, other] = await Promise.all(
        [1, 2].map(async () => new AutoMigrator(await openDataSource(database.url, HOTEL), { execution })),
      );
      if (!one || !other) throw new Error('there are two');
      const reports = await Promise.all([one.heal(), other.heal()]);
      expect(reports.map(({ outcome }) => outcome).toSorted()).toEqual(['healed', 'nothing-to-do']);
      expect(reports.map(({ open, failed, error }) => ({ open, failed, error }))).toEqual([
        { open: [], failed: [], error: null },
        { open: [], failed: [], error: null },
      ]);
      const applied = reports.flatMap((report) => report.applied.map(({ sql }) => sql));
      expect(applied.length).toBeGreaterThan(30);
      const [run, ...more] = await one.history();
      expect(more).toEqual([]);
      expect(run?.steps.map(({ outcome }) => outcome)).toEqual(applied.map(() => 'applied'));
      expect(run?.steps.map(({ sql }) => sql)).toEqual(applied);
      expect(new Set(applied)).toHaveProperty('size', applied.length);
      expect(await other.check()).toMatchObject({ verdict: 'in-sync' });
      await database.drop();
    });
  },
);

describe('while another process holds the lock', () => {
  let database: TestDatabase;
  let connect: Connect;
  let lock: HealerLock;

  beforeAll(async () => {
    database = await createTestDatabase({ template: 'hotel' });
    connect = connectorOf(await openDataSource(database.url, []));
    lock = await lockOf(connect);
  });

  afterAll(() => lock.release());

  const migrator = async (waitForHealerMs: number): Promise<AutoMigrator> =>
    new AutoMigrator(await openDataSource(database.url, HOTEL), { waitForHealerMs });

  test('a heal gives way after its time, tells who heals, and has changed nothing', async () => {
    const report = await (await migrator(0)).heal();
    expect(report).toMatchObject({
      outcome: 'another-healer',
      runId: null,
      applied: [],
      failed: [],
      error: null,
    });
    expect(report.healer).toEqual({
      pid: expect.any(Number) as number,
      host: null,
      applicationName: 'nestjs-auto-migration',
      address: expect.any(String) as string,
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    });
    expect(report.open.length).toBeGreaterThan(20);
    expect(
      await database.query(
        `select to_regclass('message') as table, to_regnamespace('${JOURNAL}') as journal`,
      ),
    ).toEqual([{ table: null, journal: null }]);
  });

  test('it is seen by everybody, in this database and for this journal only', async () => {
    const healerOf = async (url: string, journalSchema: string): Promise<number | undefined> =>
      (await new AutoMigrator(await openDataSource(url, []), { journalSchema }).healer())?.pid;
    const elsewhere = await createTestDatabase();
    expect(await healerOf(database.url, JOURNAL)).toEqual(expect.any(Number));
    expect(await healerOf(database.url, 'other_journal')).toBeUndefined();
    expect(await healerOf(elsewhere.url, JOURNAL)).toBeUndefined();
  });

  test('looking needs no lock', async () => {
    expect(await (await migrator(0)).check()).toMatchObject({ verdict: 'drift', error: null });
  });
});

describe('the lock', () => {
  let database: TestDatabase;
  let connect: Connect;

  beforeAll(async () => {
    database = await createTestDatabase({ template: 'hotel' });
    connect = connectorOf(await openDataSource(database.url, []));
  });

  /** Ends within 5 seconds or fails: a concurrent build waits for every older snapshot of the database. */
  async function buildConcurrently(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: database.url, statement_timeout: 5000 });
    await client.connect();
    try {
      await client.query(`create index concurrently ${name} on call (room_number)`);
    } finally {
      await client.end();
    }
  }

  test('is held without a snapshot, so that an index can be built concurrently', async () => {
    const lock = await lockOf(connect);
    try {
      await buildConcurrently('beside_holder');
      expect(lock.lost.aborted).toBe(false);
    } finally {
      await lock.release();
    }
  });

  test('is waited for without a snapshot, too', async () => {
    const lock = await lockOf(connect);
    const waiting = acquireHealerLock(connect, JOURNAL, 20_000, never);
    try {
      // Between two tries it is in no transaction at all: behind a pooler that would occupy a connection.
      await vi.waitFor(async () => {
        const states = await database.query(
          `select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            and (query like '%pg_try_advisory%' or query = 'rollback') order by state`,
        );
        expect(states).toEqual([{ state: 'idle' }, { state: 'idle in transaction' }]);
      }, patiently);
      await buildConcurrently('beside_waiter');
    } finally {
      await lock.release();
    }
    const next = await waiting;
    expect(next).not.toBeNull();
    await next?.release();
  });

  test('is free again when its session has died, and its holder is told', async () => {
    const lock = await lockOf(connect);
    const migrator = new AutoMigrator(await openDataSource(database.url, []));
    const healer = await migrator.healer();
    await database.query('select pg_terminate_backend($1, 5000)', [healer?.pid]);
    await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), patiently);
    expect(await migrator.healer()).toBeNull();
    await (await lockOf(connect)).release();
    await lock.release();
  });

  test('is not waited for any longer once the waiter is asked to stop', async () => {
    const lock = await lockOf(connect);
    const stopping = new AbortController();
    const waiting = acquireHealerLock(connect, JOURNAL, 3_600_000, stopping.signal);
    stopping.abort();
    await expect(waiting).rejects.toThrow(HealingStoppedError);
    await lock.release();
  });

  test('survives a server that ends idle transactions', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set idle_in_transaction_session_timeout = 50`);
    const lock = await lockOf(connect);
    try {
      // Longer than the server lets others be idle; the setting is what is under test, not the clock.
      await database.query('select pg_sleep(0.3)');
      expect(lock.lost.aborted).toBe(false);
    } finally {
      await lock.release();
      await database.query(`alter database ${name} reset idle_in_transaction_session_timeout`);
    }
  });
});
