import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openSession } from '../../src/desired/session.js';
import { Pace } from '../../src/heal/pace.js';
import { queryRows, type Connection } from '../../src/schema/connection.js';
import { startPostgres, type RunningPostgres } from '../../tools/embedded-postgres/index.mjs';
import { followFrom } from './standby-protocol.js';

/** On a busy machine, too. */
const patiently = { timeout: 30_000, interval: 100 };

/** A server of its own, as replicas are those of all databases. */
let server: RunningPostgres;
let connection: Connection;
/** Not the owner of what is there, and no reader of statistics. */
let guest: Connection;
let named: Connection;

beforeAll(async () => {
  server = await startPostgres({
    persistent: false,
    settings: { fsync: 'off', archive_mode: 'on' },
  });
  connection = await openSession({ Client: pg.Client, options: { connectionString: server.url } });
  await connection.query(`create table stay (id integer); create table pet (id integer);
    create role guest login password 'secret'; grant select on stay, pet to guest`);
  const url = new URL(server.url);
  url.username = 'guest';
  url.password = 'secret';
  guest = await openSession({ Client: pg.Client, options: { connectionString: url.href } });
  const connectionString = `${server.url}?application_name=hotel&keepalives=1`;
  named = await openSession({ Client: pg.Client, options: { connectionString } });
});

beforeEach(async () => {
  // Whoever asks for a long sleep does not notice that his client has gone.
  await connection.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type in ('client backend', 'walsender') and pid not in (${connection.pid}, ${guest.pid}, ${named.pid})`);
});

afterAll(async () => {
  await Promise.all([connection.close(), guest.close(), named.close()]);
  await server.stop();
});

async function connect(config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url, ...config });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const strainSeenBy = async (session: Connection): Promise<string | null> => {
  const pace = new Pace(null, null);
  await pace.pause(session, 'public.stay');
  return pace.strain;
};

const OTHERS = 'others use the database';

test.each<{ title: string; by: () => Connection; seen: string | null; others: () => Promise<unknown> }>([
  { title: 'nobody', by: () => connection, seen: null, others: () => Promise.resolve() },
  {
    title: 'a statement that takes its time',
    by: () => connection,
    seen: OTHERS,
    others: async () => (await connect()).query('select pg_sleep(60)').catch(() => undefined),
  },
  {
    title: 'a session that was at work a moment ago',
    by: () => connection,
    seen: OTHERS,
    others: async () => (await connect()).query('select'),
  },
  {
    title: 'sessions of our own',
    by: () => connection,
    seen: null,
    others: async () => (await connect({ application_name: 'nestjs-auto-migration' })).query('begin; select'),
  },
  {
    title: 'ourselves, where the connection string has a name of its own for the application',
    by: () => named,
    seen: null,
    others: () => Promise.resolve(),
  },
  {
    title: 'a question of ours by the pool of the application',
    by: () => connection,
    seen: null,
    others: async () => (await connect()).query('/* nestjs-auto-migration */ select 1'),
  },
  {
    title: 'a lock of somebody whose session is hidden',
    by: () => guest,
    seen: OTHERS,
    others: async () => (await connect()).query('begin; select from stay'),
  },
  {
    title: 'one on another table',
    by: () => guest,
    seen: null,
    others: async () => (await connect()).query('begin; select from pet'),
  },
])('of $title a fill sees: $seen', { timeout: 60_000 }, async ({ by, seen, others }) => {
  await vi.waitFor(async () => expect(await strainSeenBy(by())).toBeNull(), patiently);
  const done = others();
  if (seen === null) await done;
  await vi.waitFor(async () => expect(await strainSeenBy(by())).toBe(seen), patiently);
});

test('a session of ours has our name, whatever the connection string says', async () => {
  const [row] = await queryRows<{ name: string }>(
    named,
    `select current_setting('application_name') as name`,
  );
  expect(row).toEqual({ name: 'nestjs-auto-migration' });
});

test('a replica that lags behind is waited for', { timeout: 60_000 }, async () => {
  await vi.waitFor(async () => expect(await strainSeenBy(connection)).toBeNull(), patiently);
  const replica = await connect({ replication: 'true' } as pg.ClientConfig);
  await followFrom(replica, connection);
  // It says where it is, and then nothing more: a tenth of the log's segments are enough to be behind.
  await connection.query(`select pg_logical_emit_message(false, 'log', repeat('x', 70 * 1024 * 1024))`);
  const pace = new Pace(null, null);
  await vi.waitFor(async () => expect(await pace.pause(connection, 'public.stay')).toBe(1000), patiently);
  expect(pace.strain).toBe('a replica lags behind');
});

test('an archive that lags behind is waited for', { timeout: 120_000 }, async () => {
  const archiveBy = async (command: string): Promise<void> => {
    await connection.query(`alter system set archive_command = '${command}'`);
    await connection.query('select pg_reload_conf()');
  };
  await archiveBy('true');
  const isStrained = (strain: string | null) => async (): Promise<void> =>
    expect(await strainSeenBy(connection)).toBe(strain);
  await vi.waitFor(isStrained(null), patiently);
  await archiveBy('false');
  // It may take some more before it knows.
  const failed = 'select failed_count::int as failed from pg_stat_archiver';
  await vi.waitFor(async () => {
    await connection.query(`select pg_logical_emit_message(true, 'log', 'x'), pg_switch_wal()`);
    expect(await queryRows(connection, failed)).not.toEqual([{ failed: 0 }]);
  }, patiently);
  for (let megabytes = 0; megabytes < 280; megabytes += 70)
    await connection.query(`select pg_logical_emit_message(false, 'log', repeat('x', 70 * 1024 * 1024))`);
  await vi.waitFor(isStrained('the archive lags behind'), patiently);
  await archiveBy('true');
  await vi.waitFor(isStrained(null), patiently);
});

test('batches grow to a tenth of a second, and are short at once where others are there', async () => {
  await vi.waitFor(async () => expect(await strainSeenBy(connection)).toBeNull(), patiently);
  const pace = new Pace(null, null);
  pace.took(50);
  pace.took(100);
  expect(pace.size).toBe(1000);
  expect(await pace.pause(connection, 'public.stay')).toBe(0);
  expect(pace.held()).toBe('skip');
  expect(pace.held()).toBe('wait');

  const other = await connect();
  const isShared = async (): Promise<void> => {
    await other.query('select');
    expect(await pace.pause(connection, 'public.stay')).toBe(10);
  };
  await vi.waitFor(isShared, patiently);
  expect(pace.held()).toBe('skip');
  expect(pace).toMatchObject({ strain: OTHERS, size: 250 });
  pace.took(25);
  expect(pace.size).toBe(250);
  pace.took(50);
  expect(pace.size).toBe(125);
});

test.each(['pg_stat_replication', 'pg_stat_progress_vacuum', 'pg_stat_activity', 'pg_locks'])(
  'whoever may not look at %s goes on, as if others were there',
  async (view) => {
    await connection.query(`revoke select on pg_catalog.${view} from public`);
    try {
      const pace = new Pace(null, null);
      expect(await pace.pause(guest, 'public.stay')).toBe(10);
      expect(pace.held()).toBe('skip');
    } finally {
      await connection.query(`grant select on pg_catalog.${view} to public`);
    }
  },
);

test.each([
  { title: 'far above', fixed: 200 },
  { title: 'just above', fixed: 110 },
])('what a batch takes with any rows, $title the target, makes them no smaller for ever', ({ fixed }) => {
  const pace = new Pace(null, null);
  const sizes = Array.from({ length: 200 }, () => {
    pace.took(fixed + pace.size / 1000);
    return pace.size;
  });
  expect(Math.min(...sizes)).toBeGreaterThan(50);
});

test('rows that take long are made fewer, down to one', () => {
  const pace = new Pace(null, null);
  for (let batch = 0; batch < 20; batch++) pace.took(pace.size * 150);
  expect(pace.size).toBe(1);
});
