import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { HealingStoppedError } from '../../src/errors.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** `pet` comes first and is free; `stay` is in use, so that the run stands still there. */
const ENTITIES = [
  new EntitySchema({ name: 'pet', columns: { id: { type: 'integer', primary: true } } }),
  new EntitySchema({
    name: 'stay',
    columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
  }),
  new EntitySchema({
    name: 'visit',
    columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
  }),
];

const LEGACY = 'create table stay (id integer primary key); create table visit (id integer primary key)';

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 10 };

const clients: pg.Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.end())));

let database: TestDatabase;
let migrator: AutoMigrator;
let blocker: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(LEGACY);
  const dataSource = await openDataSource(database.url, ENTITIES);
  migrator = new AutoMigrator(dataSource, { execution: 'online', lockTimeoutMs: 60_000 });
  blocker = new pg.Client({ connectionString: database.url });
  clients.push(blocker);
  await blocker.connect();
  await blocker.query('begin; select count(*) from stay');
});

/** The session of ours that waits for the table. */
async function waitingPid(): Promise<number> {
  return vi.waitFor(async () => {
    const [lock] = await database.query<{ pid: number }>(
      `select pid from pg_locks where relation = 'stay'::regclass and not granted`,
    );
    if (!lock) throw new Error('nobody waits yet');
    return lock.pid;
  }, patiently);
}

async function expectHalfDone(): Promise<void> {
  const [found] = await database.query(
    `select to_regclass('pet') is not null as pet, array(
       select attrelid::regclass::text from pg_attribute where attname = 'note' and attrelid::regclass::text in ('stay', 'visit')
     ) as notes`,
  );
  expect(found).toEqual({ pet: true, notes: [] });
}

/** Whatever ended the run, the next one finishes the work from what the catalog says. */
async function expectNextRunToFinish(): Promise<void> {
  await blocker.query('rollback');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
  expect(await migrator.healer()).toBeNull();
}

describe('a run that is asked to stop', () => {
  let report: HealReport;

  beforeEach(async () => {
    const stopping = new AbortController();
    const healing = migrator.heal({ signal: stopping.signal });
    await waitingPid();
    stopping.abort(new HealingStoppedError('the application is shutting down'));
    report = await healing;
  });

  test('keeps what it has applied, rolls back what it was at, begins nothing more', async () => {
    expect(report).toMatchObject({ outcome: 'failed' });
    expect(report.error).toBe(
      'Stopped before the next step: the application is shutting down. What was applied stays; the next run goes on.',
    );
    expect(report.applied.map(({ object }) => object)).toEqual(['public.pet']);
    expect(report.open.map(({ object }) => object)).toEqual(['public.stay.note', 'public.visit.note']);
    await expectHalfDone();
    await expectNextRunToFinish();
  });

  test('is in the journal with what it did and why it ended', async () => {
    const [run] = await migrator.history();
    expect(run).toMatchObject({ outcome: 'failed', error: report.error });
    expect(run?.finishedAt).not.toBeNull();
    expect(run?.steps.map(({ object, outcome }) => [object, outcome])).toEqual([
      ['public.pet', 'applied'],
      ['public.stay.note', 'failed'],
    ]);
  });
});

test('a run that loses the lock of the one healer stops, as it is no longer the only one', async () => {
  const healing = migrator.heal();
  await waitingPid();
  const healer = await migrator.healer();
  await database.query('select pg_terminate_backend($1, 5000)', [healer?.pid]);
  const report = await healing;
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(report.error).toBe(
    'Stopped before the next step: the lock session was lost. What was applied stays; the next run goes on.',
  );
  expect(report.open.map(({ object }) => object)).toEqual(['public.stay.note', 'public.visit.note']);
  await expectHalfDone();
  await expectNextRunToFinish();
});

test('a run whose session dies says so, shows as interrupted, and is finished by the next', async () => {
  const healing = migrator.heal();
  await database.query('select pg_terminate_backend($1, 5000)', [await waitingPid()]);
  const report = await healing;
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(report.error).toContain('terminating connection due to administrator command');
  expect(report.applied.map(({ object }) => object)).toEqual(['public.pet']);
  expect(report.open.map(({ object }) => object)).toEqual(['public.stay.note', 'public.visit.note']);
  await expectHalfDone();
  const [run] = await migrator.history();
  expect(run).toMatchObject({ outcome: 'interrupted', finishedAt: null });
  expect(run?.steps.map(({ object, outcome }) => [object, outcome])).toEqual([
    ['public.pet', 'applied'],
    ['public.stay.note', 'running'],
  ]);
  await expectNextRunToFinish();
  expect((await migrator.history()).map(({ outcome }) => outcome)).toEqual(['healed', 'interrupted']);
});

test('a run that was told to stop before it began changes nothing', async () => {
  const report = await migrator.heal({ signal: AbortSignal.abort(new HealingStoppedError('shutting down')) });
  expect(report).toMatchObject({ outcome: 'failed', applied: [], failed: [] });
  expect(report.error).toContain('shutting down');
  expect(await database.query(`select to_regclass('pet') as pet`)).toEqual([{ pet: null }]);
  await expectNextRunToFinish();
});
