import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntitySchema, type DataSource } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { startPostgres, type RunningPostgres } from '../../tools/embedded-postgres/index.mjs';
import { openDataSource } from '../auto-migrator/open-data-source.js';

const guest = new EntitySchema({
  name: 'guest',
  columns: {
    id: { type: 'integer', primary: true },
    name: { type: 'text', nullable: true },
    nick: { type: 'text' },
  },
  indices: [{ name: 'guest_name', columns: ['name'] }],
});

const ROWS = 500;
const LEGACY = `drop table if exists guest, touched; drop schema if exists auto_migration cascade;
  create table guest (id integer primary key, name text);
  insert into guest select g, 'Guest ' || g from generate_series(1, ${ROWS}) g;
  create table touched (id integer);
  create or replace function touch() returns trigger language plpgsql as $$ begin
    insert into public.touched values (new.id); return new; end $$;
  create trigger touch before update on guest for each row execute function touch()`;

const backfills = [{ table: 'guest', column: 'nick', expression: 'name', batchSize: 10, pauseMs: 20 }];

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 5 };

let directory: string;
let server: RunningPostgres;
let dataSource: DataSource;
let migrator: AutoMigrator;

// Only processes die here, so that what the system has in its cache is not lost.
const start = (): Promise<RunningPostgres> =>
  startPostgres({ persistent: true, directory, settings: { fsync: 'off' } });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'restart-'));
  server = await start();
});

beforeEach(async () => {
  await query(LEGACY);
  dataSource = await openDataSource(server.url, [guest]);
  migrator = new AutoMigrator(dataSource, { execution: 'online', backfills });
});

afterAll(async () => {
  await dataSource.destroy();
  await server.stop();
  await rm(server.place, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    const results = [await client.query<Record<string, unknown>>(sql)].flat();
    return results.at(-1)?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** Immediate: the server's processes end where they are, and what they had not committed is recovered from the log. */
async function restart(): Promise<void> {
  const pidFile = join(server.place, 'cluster', 'data', 'postmaster.pid');
  const [pid] = (await readFile(pidFile, 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGQUIT');
  await vi.waitFor(
    async () => expect(await readFile(pidFile, 'utf8').catch(() => null)).toBeNull(),
    patiently,
  );
  await server.stop();
  server = await start();
}

/** The application's process goes on, on another server as far as it can tell: with the next tick it is as it should be. */
async function expectNextTickToFinish(report: HealReport): Promise<void> {
  expect(report).toMatchObject({ outcome: 'failed' });
  const next = new AutoMigrator(await openDataSource(server.url, [guest]), {
    execution: 'online',
    backfills,
  });
  expect((await next.history()).map(({ outcome }) => outcome)).toEqual(['interrupted']);
  expect(await next.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
  expect(await next.check()).toMatchObject({ verdict: 'in-sync' });
  const [found] = await query(`select
    (select count(*)::int from guest where nick = name) as filled,
    (select count(*)::int from touched) as touched, (select count(distinct id)::int from touched) as rows,
    array(select indexrelid::regclass::text from pg_index where not indisvalid) as invalid,
    array(select conname::text from pg_constraint where conname like 'auto\\_migration\\_%') as checks`);
  expect(found).toEqual({ filled: ROWS, touched: ROWS, rows: ROWS, invalid: [], checks: [] });
}

test('a server that is restarted in the middle of an index build', async () => {
  const blocker = new pg.Client({ connectionString: server.url });
  blocker.on('error', () => undefined);
  await blocker.connect();
  await blocker.query('begin isolation level repeatable read; select from pg_class');
  const healing = migrator.heal();
  await vi.waitFor(async () => {
    const [build] = await query(
      `select from pg_stat_progress_create_index where phase = 'waiting for old snapshots'`,
    );
    expect(build).toBeDefined();
  }, patiently);
  await restart();
  expect(await query('select indexrelid::regclass::text as name from pg_index where not indisvalid')).toEqual(
    [{ name: 'guest_name' }],
  );
  await expectNextTickToFinish(await healing);
});

test('a server that is restarted in the middle of a backfill', async () => {
  const healing = migrator.heal();
  await vi.waitFor(async () => {
    const [filled] = await query(
      'select from guest where nick is not null having count(*) between 20 and 400',
    );
    expect(filled).toBeDefined();
  }, patiently);
  await restart();
  await expectNextTickToFinish(await healing);
});
