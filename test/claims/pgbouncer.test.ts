import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { HOTEL } from '../auto-migrator/hotel-entities.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { block, holdSnapshot, waitingOf } from '../e2e/blocker.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { HAS_PGBOUNCER, startPgBouncer, type PgBouncer } from '../setup/pgbouncer.js';

const POOL_SIZE = 4;

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 20 };

const clients: pg.Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.end())));

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

let database: TestDatabase;
let bouncer: PgBouncer;

async function migratorBehind(
  { url }: PgBouncer,
  options: AutoMigratorOptions = {},
  entities: EntitySchema[] = HOTEL,
): Promise<AutoMigrator> {
  const dataSource = await openDataSource(url, entities, { extra: { max: 1 } });
  return new AutoMigrator(dataSource, { execution: 'online', ...options });
}

/** What somebody would notice who gets a session of the server after us, on each that the pooler has. */
async function settingsOfAll(url: string): Promise<unknown[]> {
  const all = await Promise.all(Array.from({ length: POOL_SIZE }, () => connectTo(url)));
  await Promise.all(all.map((client) => client.query('begin')));
  const answers = await Promise.all(
    all.map((client) =>
      client.query<{ pid: number; settings: object }>(
        `select pg_backend_pid() as pid, (select json_object_agg(name, setting) from pg_settings
           where source = 'session' and name not in ('application_name', 'client_encoding')) as settings`,
      ),
    ),
  );
  await Promise.all(all.map((client) => client.query('rollback')));
  expect(new Set(answers.map(({ rows }) => rows[0]?.pid)).size).toBe(POOL_SIZE);
  return answers.map(({ rows }) => rows[0]?.settings);
}

describe.skipIf(!HAS_PGBOUNCER)('behind PgBouncer in transaction mode', () => {
  beforeEach(async () => {
    database = await createTestDatabase({ template: 'hotel' });
    bouncer = await startPgBouncer(database, { poolSize: POOL_SIZE });
  });

  test('two healers heal the hotel online, each step once, and leave no trace on the sessions of others', async () => {
    const before = await settingsOfAll(bouncer.url);
    const migrators = await Promise.all([migratorBehind(bouncer), migratorBehind(bouncer)]);
    const reports = await Promise.all(migrators.map((each) => each.heal({ trigger: 'bootstrap' })));
    expect(reports.map(({ error, failed, open }) => ({ error, failed, open }))).toEqual(
      reports.map(() => ({ error: null, failed: [], open: [] })),
    );
    expect(reports.map(({ outcome }) => outcome).toSorted()).toEqual(['healed', 'nothing-to-do']);
    const applied = reports.flatMap((report) => report.applied.map(({ sql }) => sql));
    expect(applied).toContainEqual(expect.stringContaining('CREATE INDEX CONCURRENTLY'));
    expect(new Set(applied).size).toBe(applied.length);
    expect(await migrators[0].history()).toMatchObject([{ outcome: 'healed' }]);
    expect(await settingsOfAll(bouncer.url)).toEqual(before);
    const locks = `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    expect(await database.query(locks)).toEqual([]);
  });

  test('who waits for the healer occupies none of its connections', async () => {
    const blocker = await holdSnapshot(database);
    const healing = (await migratorBehind(bouncer)).heal();
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), patiently);
    const waiters = await Promise.all(Array.from({ length: POOL_SIZE }, () => migratorBehind(bouncer)));
    const waiting = waiters.map((each) => new Promise((onWait) => void each.heal({ onWait }).then(onWait)));
    expect(await Promise.all(waiting)).toMatchObject(
      waiters.map(() => ({ applicationName: 'nestjs-auto-migration' })),
    );
    const application = await connectTo(bouncer.url);
    expect((await application.query('select count(*)::int as calls from call')).rows).toEqual([
      { calls: 50_000 },
    ]);
    await blocker.release();
    expect(await healing).toMatchObject({ outcome: 'healed', error: null });
  });

  test("a healing that is stopped ends its own statement, and nobody else's", async () => {
    const blocker = await block(database, 'staff');
    const stopping = new AbortController();
    const healing = (await migratorBehind(bouncer, { lockTimeoutMs: 60_000 })).heal({
      signal: stopping.signal,
    });
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), patiently);
    const application = await connectTo(bouncer.url);
    const others = [1, 2].map(() => application.query('select pg_sleep(1)'));
    stopping.abort();
    expect(await healing).toMatchObject({ outcome: 'failed', failed: [] });
    await Promise.all(others);
    expect(await waitingOf(database)).toEqual([]);
    await blocker.release();
  });

  test('a healing whose lock session is lost stops before its next step', async () => {
    const blocker = await block(database, 'staff');
    const migrator = await migratorBehind(bouncer, { lockTimeoutMs: 60_000 });
    const healing = migrator.heal();
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), patiently);
    await database.query('select pg_terminate_backend($1, 5000)', [(await migrator.healer())?.pid]);
    expect((await healing).error).toMatch(/^Stopped before the next step: the lock session was lost\./);
    await blocker.release();
  });

  test('with one connection to the server it says so, in time, and lets the others have it', async () => {
    const small = await startPgBouncer(database, { poolSize: 1 });
    const report = await (await migratorBehind(small)).heal();
    expect(report).toMatchObject({ outcome: 'failed', runId: null, applied: [] });
    expect(report.error).toMatch(
      /^The pooler gave no second connection to the server within 5 s\..*default_pool_size/,
    );
    expect(report.durationMs).toBeLessThan(15_000);
    const application = await connectTo(small.url);
    expect((await application.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(await database.query(`select to_regclass('message') as message`)).toEqual([{ message: null }]);
  });
});

test('an application pool of one connection is enough', async () => {
  const direct = await createTestDatabase({ template: 'hotel' });
  const dataSource = await openDataSource(direct.url, HOTEL, { extra: { max: 1 } });
  const migrator = new AutoMigrator(dataSource, { execution: 'online' });
  // Its one connection is in use for as long as the healing goes on.
  const runner = dataSource.createQueryRunner();
  await runner.query('begin; select 1');
  expect(await migrator.heal({ trigger: 'bootstrap' })).toMatchObject({
    outcome: 'healed',
    error: null,
    open: [],
  });
  await runner.query('rollback');
  await runner.release();
  expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ outcome: 'nothing-to-do', error: null });
});
