import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { RollbackReport } from '../../src/heal/rollback.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { CATALOG } from './catalog.js';
import { BEFORE, ENTITIES, LATER } from './guest.js';

interface Scene {
  readonly database: TestDatabase;
  readonly migrator: AutoMigrator;
  readonly before: readonly object[];
  readonly healed: HealReport;
}

async function healed(execution: Execution = 'online', lockTimeoutMs = 1000): Promise<Scene> {
  const database = await createTestDatabase();
  await database.query(BEFORE);
  const before = await database.query(CATALOG);
  const dataSource = await openDataSource(database.url, ENTITIES);
  const migrator = new AutoMigrator(dataSource, { execution, lockTimeoutMs, lockRetries: 0 });
  const report = await migrator.heal();
  expect(report).toMatchObject({ outcome: 'healed', failed: [] });
  return { database, migrator, before, healed: report };
}

/** What cannot be known again: whether a row has become NULL since is nobody's to tell. */
const SINCE = { object: 'public.guest.since', action: 'drop not null' };

describe.each<Execution>(['online', 'atomic'])('a run is taken back, %s', (execution) => {
  let scene: Scene;
  let report: RollbackReport;
  let afterwards: HealReport;
  let catalog: object[];

  beforeAll(async () => {
    scene = await healed(execution);
    const { migrator, database } = scene;
    report = await migrator.rollback(scene.healed.runId ?? '', 'ada');
    afterwards = await migrator.heal();
    catalog = await database.query(CATALOG);
  });

  test('all but what nobody can take back', () => {
    expect(report).toMatchObject({ outcome: 'partly-undone', failed: [], open: [], error: null });
    expect(report.notUndone).toEqual([{ ...SINCE, reason: 'rows may have come that are NULL' }]);
    const lost = scene.before.filter((each) => !JSON.stringify(each).includes('guest.since'));
    expect(catalog.filter((each) => !JSON.stringify(each).includes('guest.since'))).toEqual(lost);
  });

  test('with the rows as they were', async () => {
    const rows = await scene.database.query('select id, name, age, city from guest order by id');
    expect(rows).toEqual([
      { id: 1, name: 'Ada', age: 36, city: 'London' },
      { id: 2, name: 'Bob', age: 40, city: null },
    ]);
  });

  test('in the reverse order, as a run of the journal', async () => {
    const [run] = await scene.migrator.history(1);
    expect(run).toMatchObject({ id: report.runId, outcome: 'healed' });
    const undone = report.applied.map(({ action, object }) => `${action} ${object}`);
    const inReverse = scene.healed.applied
      .toReversed()
      .map(({ action, object }) => `undo ${action} ${object}`);
    expect(undone).toEqual(inReverse.filter((each) => undone.includes(each)));
    expect(undone.length).toBeGreaterThan(9);
  });

  test('and no tick does it again', () => {
    expect(afterwards).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
    expect(afterwards.open.length).toBeGreaterThan(8);
    for (const { hazards, reason } of afterwards.open) {
      expect(hazards.some((kind) => kind === 'pinned' || kind === 'waits')).toBe(true);
      expect(reason).toMatch(/ada has had it undone in run \d+ .*; approve it to have it again|it builds on/);
    }
  });
});

test('until somebody approves it', async () => {
  const { migrator, healed: first } = await healed();
  await migrator.rollback(first.runId ?? '', 'ada');
  const { drift } = await migrator.check();
  const { refused } = await migrator.approve(
    drift.filter(({ hazards }) => hazards.includes('pinned')).map(({ id }) => id),
    'bob',
  );
  expect(refused).toEqual([]);
  await migrator.heal();
  expect(await migrator.heal()).toMatchObject({ open: [] });
});

test('of one finding, which lets nothing else be done to the same column', async () => {
  const database = await createTestDatabase();
  await database.query(`create table guest (id integer constraint guest_pkey primary key, city text default 'Graz');
    comment on column guest.city is 'lives there'`);
  const guest = new EntitySchema({
    name: 'guest',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'guest_pkey' },
      city: { type: 'text', nullable: true, default: 'Linz', comment: 'sleeps there' },
    },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [guest]), { execution: 'online' });
  const { runId } = await migrator.heal();
  await migrator.rollback(runId ?? '', 'ada');
  const { drift } = await migrator.check();
  expect(drift.map(({ kind }) => kind).toSorted()).toEqual(['different-comment', 'different-default']);
  await migrator.approve(
    drift.filter(({ kind }) => kind === 'different-comment').map(({ id }) => id),
    'bob',
  );
  const report = await migrator.heal();
  expect(report.applied.map(({ action }) => action)).toEqual(['comment']);
  expect(report.open.map(({ kind, hazards }) => [kind, hazards])).toEqual([
    ['different-default', expect.arrayContaining(['pinned'])],
  ]);
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
});

test('or the entities ask for something else, and only there', async () => {
  const { database, migrator, healed: first } = await healed();
  await migrator.rollback(first.runId ?? '', 'ada');
  const later = new AutoMigrator(await openDataSource(database.url, LATER), { execution: 'online' });
  const { applied } = await later.heal();
  expect(applied.map(({ object }) => object)).toEqual(['public.guest.stars']);
});

test('rows that come later change nothing about a pin', async () => {
  const { database, migrator, healed: first } = await healed();
  await database.query('delete from guest');
  await migrator.rollback(first.runId ?? '', 'ada');
  await database.query(`insert into guest (id, name, since) values (3, 'Cleo', '2026-02-02')`);
  expect(await migrator.heal()).toMatchObject({ applied: [] });
});

describe('what was written since is not lost without a word', () => {
  const since: [title: string, write: string, object: string, reason: RegExp][] = [
    [
      'a column that was filled',
      `update guest set note = 'late' where id = 1`,
      'public.guest.note',
      /would lose 1 value, written since/,
    ],
    [
      'a value other than the default',
      'update guest set stars = 5 where id = 2',
      'public.guest.stars',
      /would lose 1 value other than the default/,
    ],
    ['a row of a table', 'insert into stay values (1, 1)', 'public.stay', /would lose 1 row,/],
    [
      'a value that the narrower type would cut',
      `update guest set name = repeat('x', 30) where id = 2`,
      'public.guest.name',
      /would lose 1 value that would change/,
    ],
  ];
  let scene: Scene;
  let report: RollbackReport;

  beforeAll(async () => {
    scene = await healed();
    for (const [, write] of since) await scene.database.query(write);
    report = await scene.migrator.rollback(scene.healed.runId ?? '', 'ada');
  });

  test.each(since)('%s', (_title, _write, object, reason) => {
    const open = report.open.find((each) => each.object === object);
    expect(open).toMatchObject({ kind: 'undo', disposition: 'open', hazards: ['data-loss'] });
    expect(open?.reason).toMatch(reason);
  });

  test('nothing else, and all of it is still there', async () => {
    expect(report.open.map(({ object }) => object).toSorted()).toEqual(
      since.map(([, , object]) => object).toSorted(),
    );
    expect(await scene.migrator.heal()).toMatchObject({ applied: [] });
    const kept = `select (select note from guest where id = 1), (select stars from guest where id = 2),
      (select count(*)::int from stay) as stays, (select length(name) from guest where id = 2) as name`;
    expect(await scene.database.query(kept)).toEqual([{ note: 'late', stars: 5, stays: 1, name: 30 }]);
  });

  test('it goes once that is approved, and stays so', async () => {
    const { migrator, database } = scene;
    const { approved } = await migrator.approve(
      report.open.map(({ id }) => id),
      'bob',
    );
    expect(approved.map(({ approval }) => approval.loss[0]?.count)).toEqual([1, 1, 1, 1]);
    const second = await migrator.heal();
    expect(second.applied.map(({ object }) => object).toSorted()).toEqual(
      since.map(([, , object]) => object).toSorted(),
    );
    expect((await migrator.heal()).applied).toEqual([]);
    expect(await database.query(`select to_regclass('stay') as stay`)).toEqual([{ stay: null }]);
  });
});

test('a default that the type of its column rounds is no value that somebody has written', async () => {
  const database = await createTestDatabase();
  await database.query('create table rate (id integer constraint rate_pkey primary key)');
  await database.query('insert into rate values (1)');
  const rate = new EntitySchema({
    name: 'rate',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'rate_pkey' },
      price: { type: 'numeric', precision: 10, scale: 2, default: 1.005 },
    },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [rate]));
  const { runId } = await migrator.heal();
  expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({ outcome: 'undone', open: [] });
});

test.each([
  ['circle', '<(0,0),1>', '<(9,9),1>'],
  ['box', '(1,1),(0,0)', '(2,1),(1,0)'],
  ['path', '[(0,0),(1,1)]', '[(5,5),(6,6)]'],
  ['interval', '1 month', '30 days'],
  ['json', '{"a": 1}', '{"a": 2}'],
])("a value that its type calls equal to the default is somebody's: %s", async (type, standard, written) => {
  const database = await createTestDatabase();
  await database.query('create table area (id integer constraint area_pkey primary key)');
  await database.query('insert into area values (1), (2)');
  const area = new EntitySchema({
    name: 'area',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'area_pkey' },
      value: { type: type as 'json', default: () => `'${standard}'` },
    },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [area]));
  const { runId } = await migrator.heal();
  await database.query('update area set value = $1 where id = 2', [written]);
  const { open, applied } = await migrator.rollback(runId ?? '', 'ada');
  expect(applied).toEqual([]);
  expect(open[0]?.reason).toMatch(/would lose 1 value other than the default/);
});

test('a run that the journal does not have', async () => {
  const { migrator } = await healed();
  const report = await migrator.rollback('4711', 'ada');
  expect(report).toMatchObject({
    outcome: 'failed',
    error: 'The journal has no run 4711. Nothing was changed; see auto-migrate history.',
  });
  await expect(migrator.rollback('1', '')).rejects.toThrow('"by"');
});

describe('cut short', () => {
  const waiting = async (database: TestDatabase): Promise<number> => {
    for (;;) {
      const sql = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      const [row] = await database.query<{ pid: number }>(sql);
      if (row) return row.pid;
    }
  };

  let other: pg.Client | undefined;
  afterEach(() => other?.end());

  test('what a process that died has left of an undo is undone by the next run, and pinned', async () => {
    const { database, migrator, healed: first, before } = await healed('online', 20_000);
    other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin; select from guest');
    const dying = migrator.rollback(first.runId ?? '', 'ada');
    const pid = await waiting(database);
    await database.query('select pg_terminate_backend($1)', [pid]);
    expect(await dying).toMatchObject({ outcome: 'failed' });
    await other.query('rollback');

    const next = await migrator.heal();
    expect(next.failed).toEqual([]);
    expect(next.applied.length).toBeGreaterThan(5);
    for (const { action } of next.applied) expect(action).toMatch(/^undo /);
    expect(await migrator.heal()).toMatchObject({ applied: [] });
    const catalog = await database.query(CATALOG);
    const isOther = (each: object): boolean => !JSON.stringify(each).includes('guest.since');
    expect(catalog.filter(isOther)).toEqual(before.filter(isOther));
  });

  test('what is written between the look and the lock is not lost', async () => {
    const { database, migrator, healed: first } = await healed('online', 20_000);
    other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin; insert into stay values (1, 1)');
    const undoing = migrator.rollback(first.runId ?? '', 'ada');
    await waiting(database);
    await other.query('commit');
    const report = await undoing;
    expect(report.failed).toMatchObject([
      {
        object: 'public.stay',
        error: expect.stringContaining('lose 1 row, which nobody has approved') as string,
      },
    ]);
    expect(report.open).toMatchObject([{ object: 'public.stay', hazards: ['data-loss'] }]);
    expect(await database.query('select * from stay')).toEqual([{ id: 1, guest_id: 1 }]);
  });
});
