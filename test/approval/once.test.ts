import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { connectorOf } from '../../src/desired/data-source.js';
import type { DriftKind } from '../../src/drift/drift-kind.js';
import { useApproval } from '../../src/journal/approvals.js';
import type { Approval } from '../../src/plan/approval.js';
import { run } from '../../src/schema/connection.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { hall, ROOM, room } from './room.js';

let database: TestDatabase;
let migrator: AutoMigrator;
/** Somebody else's session, in a transaction that has touched the table. */
let other: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(`${ROOM}; alter table room add note text; update room set note = 'x' where id = 1;
    create index by_floor on room (floor)`);
  const dataSource = await openDataSource(database.url, [room, hall]);
  migrator = new AutoMigrator(dataSource, { execution: 'online', lockTimeoutMs: 20_000, lockRetries: 0 });
  other = new pg.Client({ connectionString: database.url });
  await other.connect();
});

afterEach(() => other.end());

async function approve(kind: DriftKind): Promise<Approval> {
  const { drift } = await migrator.check();
  const ids = drift.filter((each) => each.kind === kind).map(({ id }) => id);
  const { approved } = await migrator.approve(ids, 'ada');
  if (!approved[0]) throw new Error(`no ${kind}`);
  return approved[0].approval;
}

/** The session of the healing that waits for somebody's lock. */
async function waiting(): Promise<number> {
  for (;;) {
    const [row] = await database.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (row) return row.pid;
  }
}

const state = async (): Promise<object[]> =>
  database.query(
    'select used_at is not null as used, voided_at is not null as voided from auto_migration.approval order by id',
  );

test('a process that dies between the use and the step has not used it: the next run does', async () => {
  await approve('extra-column');
  await other.query('begin; select from room');
  const dying = migrator.heal();
  const pid = await waiting();
  await database.query('select pg_terminate_backend($1)', [pid]);
  expect(await dying).toMatchObject({ outcome: 'failed', applied: [] });
  expect(await state()).toEqual([{ used: false, voided: false }]);

  await other.query('rollback');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', applied: [{ action: 'drop column' }] });
  expect(await state()).toEqual([{ used: true, voided: false }]);
});

describe('an index that is dropped outside any transaction', () => {
  beforeEach(() => approve('extra-index'));

  async function die(): Promise<void> {
    await other.query('begin; select from room');
    const dying = migrator.heal();
    await database.query('select pg_terminate_backend($1)', [await waiting()]);
    await dying;
    await other.query('rollback');
  }

  const rebuild = (): Promise<unknown> => database.query('create index by_floor on room (floor)');

  test('by a process that dies is dropped by the next run, once', async () => {
    await die();
    const valid = `select indisvalid as valid from pg_index where indexrelid = 'by_floor'::regclass`;
    expect(await database.query(valid)).toEqual([{ valid: false }]);
    expect(await state()).toEqual([{ used: true, voided: false }]);
    expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop index' }]);
    expect(await state()).toEqual([{ used: true, voided: false }]);

    await rebuild();
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
  });

  test('by a process that dies may be approved anew, and both approvals serve once', async () => {
    await die();
    await approve('extra-index');
    expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop index' }]);
    expect(await state()).toEqual([
      { used: true, voided: true },
      { used: true, voided: false },
    ]);
  });

  test('and renamed after its process has died has left its name to one that nobody approved', async () => {
    await die();
    await database.query('alter index by_floor rename to by_floor_broken');
    await rebuild();
    expect((await migrator.heal()).applied).toEqual([]);
  });

  test('is not known by its number alone, which in a restored dump is that of something else', async () => {
    expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop index' }]);
    await rebuild();
    await database.query(`update auto_migration.approval set dropping = 'hall'::regclass`);
    expect((await migrator.heal()).applied).toEqual([]);
  });

  test('and approved once more meanwhile is dropped once', async () => {
    await other.query('begin; select from room');
    const healing = migrator.heal();
    await waiting();
    await approve('extra-index');
    await other.query('rollback');
    expect((await healing).applied).toMatchObject([{ action: 'drop index' }]);
    await rebuild();
    expect((await migrator.heal()).applied).toEqual([]);
  });
});

test('a step outside any transaction that is refused leaves its approval', async () => {
  await approve('extra-index');
  await database.query(`create function refuse() returns event_trigger language plpgsql as $$ begin raise 'not now'; end $$;
    create event trigger refuse on sql_drop when tag in ('DROP INDEX') execute function refuse()`);
  const refused = await migrator.heal();
  expect(refused.failed).toMatchObject([
    { action: 'drop index', error: expect.stringContaining('not now') as string },
  ]);
  expect(await state()).toEqual([{ used: false, voided: false }]);
});

test('what is written between the look and the lock makes it void', async () => {
  const { id } = await approve('extra-column');
  await other.query(`begin; update room set note = 'y' where id = 2`);
  const healing = migrator.heal();
  await waiting();
  await other.query('commit');
  const reason =
    /the approval of ada \(.*\) was for 1 value, and by now it is 2: it is void, approve it again/;
  const report = await healing;
  expect(report.failed[0]?.error).toMatch(reason);
  const drift = report.drift.find(({ kind }) => kind === 'extra-column');
  expect(drift).toMatchObject({ disposition: 'extra' });
  expect(drift?.reason).toMatch(reason);
  expect(await state()).toEqual([{ used: false, voided: true }]);
  expect(await database.query('select note from room order by id')).toEqual([{ note: 'x' }, { note: 'y' }]);

  // Void for good, even when the values have gone.
  await database.query('update room set note = null');
  expect((await migrator.heal()).applied).toEqual([]);
  expect(id).not.toBe((await approve('extra-column')).id);
  expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop column' }]);
});

test('what a look has found void stays so, even when the values have gone', async () => {
  await approve('extra-column');
  await database.query(`update room set note = 'y' where id = 2`);
  const reason = /was for 1 value, and by now it is 2: it is void, approve it again/;
  const report = await migrator.heal();
  expect(report.drift.find(({ kind }) => kind === 'extra-column')?.reason).toMatch(reason);
  expect(await state()).toEqual([{ used: false, voided: true }]);

  await database.query('update room set note = null');
  expect((await migrator.heal()).applied).toEqual([]);
  await approve('extra-column');
  expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop column' }]);
});

test('whoever is using an approval is not waited for by a look that finds it void', async () => {
  const { id } = await approve('extra-column');
  await other.query(`begin; update auto_migration.approval set used_at = clock_timestamp() where id = ${id}`);
  await database.query(`update room set note = 'y' where id = 2`);
  expect(await migrator.heal()).toMatchObject({ applied: [], failed: [], error: null });
  await other.query('rollback');
  expect(await state()).toEqual([{ used: false, voided: false }]);
});

test('a table that is large is counted before it is locked, for as long as that takes', async () => {
  const options = { execution: 'online', smallTableBytes: 0, lockTimeoutMs: 20_000, lockRetries: 0 } as const;
  migrator = new AutoMigrator(await openDataSource(database.url, [room, hall]), options);
  await approve('extra-column');
  // Between the look and the step.
  await other.query('begin; lock table auto_migration.step in share mode');
  const healing = migrator.heal();
  await waiting();
  await database.query(`update room set note = 'y' where id = 2`);
  await other.query('commit');
  expect((await healing).failed[0]?.error).toMatch(/was for 1 value, and by now it is 2/);
  await approve('extra-column');
  expect((await migrator.heal()).applied).toMatchObject([{ action: 'drop column' }]);
});

test('two processes that heal at once use it once', async () => {
  await approve('extra-column');
  const second = new AutoMigrator(await openDataSource(database.url, [room, hall]), { execution: 'online' });
  const reports = await Promise.all([migrator.heal(), second.heal()]);
  expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
  expect(reports.flatMap(({ applied }) => applied)).toMatchObject([{ action: 'drop column' }]);
  expect(await state()).toEqual([{ used: true, voided: false }]);
});

describe('two sessions that use one approval, as when a healer has lost its lock', () => {
  test.each([
    ['commit', false],
    ['rollback', true],
  ] as const)('after the %s of the first the second one may: %s', async (end, may) => {
    const approval = await approve('extra-column');
    const connect = connectorOf(await openDataSource(database.url, [room, hall]));
    const [one, two] = [await connect(), await connect()];
    await run(one, 'begin');
    await run(two, 'begin');
    expect(await useApproval(one, 'auto_migration', approval, '1')).toBe(true);
    const late = useApproval(two, 'auto_migration', approval, '2');
    await waiting();
    await run(one, end);
    expect(await late).toBe(may);
    await one.close();
    await two.close();
  });
});

describe('who approves the same once more', () => {
  test.each([
    ['holds', '1 day'],
    ['has expired since', '0'],
  ])(
    'while it is being done by one that %s, has not approved what comes back later',
    async (_title, rest) => {
      await approve('extra-column');
      await database.query(
        `update auto_migration.approval set expires_at = clock_timestamp() + interval '${rest}'`,
      );
      await other.query('begin; update auto_migration.approval set used_at = clock_timestamp()');
      const { drift } = await migrator.check();
      const { id = '' } = drift.find(({ kind }) => kind === 'extra-column') ?? {};
      const approving = migrator.approve([id], 'eve');
      await waiting();
      await other.query('alter table room drop column note; commit');
      expect(await approving).toMatchObject({
        approved: [],
        refused: [
          {
            id,
            reason: expect.stringMatching(
              /^an earlier approval of the same was used in the meantime/,
            ) as string,
          },
        ],
      });
      expect(await state()).toEqual([{ used: true, voided: false }]);

      await database.query('alter table room add note text');
      expect((await migrator.heal()).applied).toEqual([]);
      expect(await approve('extra-column')).toMatchObject({ by: 'ada' });
    },
  );

  test('has approved it, whatever the numbers of both in the journal', async () => {
    await approve('extra-index');
    await database.query(`select setval(pg_get_serial_sequence('auto_migration.approval', 'id'), 8)`);
    await approve('extra-column');
    await approve('extra-column');
    const { applied } = await migrator.heal();
    expect(applied.map(({ action }) => action)).toEqual(['drop index', 'drop column']);
    expect((await state()).slice(1)).toEqual([
      { used: false, voided: true },
      { used: true, voided: false },
    ]);
  });

  test.each([
    ['in the same moment, so that neither has seen the other', 'voided_at = null, void_reason = null'],
    ['after the other', 'void_reason = void_reason'],
  ])('%s, has not approved what comes back later', async (_title, left) => {
    await approve('extra-column');
    await approve('extra-column');
    await database.query(`update auto_migration.approval set ${left}`);
    expect(await migrator.heal()).toMatchObject({ applied: [{ action: 'drop column' }] });
    await database.query('alter table room add note text');
    expect(await migrator.heal()).toMatchObject({ applied: [] });
    const { drift } = await migrator.check();
    expect(drift.find(({ kind }) => kind === 'extra-column')?.reason).toBe(
      'only the database has it; it stays',
    );
  });
});
