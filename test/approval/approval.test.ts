import { beforeAll, describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { DriftKind } from '../../src/drift/drift-kind.js';
import type { ApprovalReport } from '../../src/heal/approve.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { MeasuredLoss } from '../../src/plan/approval.js';
import type { Drift } from '../../src/plan/plan.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { hall, ROOM, room } from './room.js';

interface Scene {
  readonly database: TestDatabase;
  readonly migrator: AutoMigrator;
  readonly find: (kind: DriftKind) => Promise<Drift>;
}

async function scene(sql: string, options: AutoMigratorOptions = {}): Promise<Scene> {
  const database = await createTestDatabase();
  await database.query(`${ROOM}; ${sql}`);
  const dataSource = await openDataSource(database.url, [room, hall]);
  const migrator = new AutoMigrator(dataSource, { execution: 'online', ...options });
  const find = async (kind: DriftKind): Promise<Drift> => {
    const { drift } = await migrator.check();
    const found = drift.find((each) => each.kind === kind);
    if (!found) throw new Error(`no ${kind} in ${JSON.stringify(drift)}`);
    return found;
  };
  return { database, migrator, find };
}

interface ApprovalCase {
  readonly title: string;
  readonly sql: string;
  readonly kind: DriftKind;
  readonly object: string;
  readonly runs: string;
  readonly loss: readonly MeasuredLoss[];
}

const rows = (count: number): MeasuredLoss[] => [{ what: 'rows', count }];
const values = (count: number): MeasuredLoss[] => [{ what: 'values', count }];
const changed = (count: number): MeasuredLoss[] => [{ what: 'values that would change', count }];

const cases: ApprovalCase[] = [
  {
    title: 'an extra table',
    sql: 'create table report (id integer); insert into report select generate_series(1, 7)',
    kind: 'extra-table',
    object: 'public.report',
    runs: 'DROP TABLE "public"."report"',
    loss: rows(7),
  },
  {
    title: 'an extra view',
    sql: 'create view doors as select id from hall',
    kind: 'extra-view',
    object: 'public.doors',
    runs: 'DROP VIEW "public"."doors"',
    loss: [],
  },
  {
    title: 'an extra materialized view',
    sql: 'create materialized view keys as select id from hall',
    kind: 'extra-view',
    object: 'public.keys',
    runs: 'DROP MATERIALIZED VIEW "public"."keys"',
    loss: [],
  },
  {
    title: 'an extra column',
    sql: `alter table hall add note text; update hall set note = 'x' where id = 1`,
    kind: 'extra-column',
    object: 'public.hall.note',
    runs: 'ALTER TABLE "public"."hall" DROP COLUMN "note"',
    loss: values(1),
  },
  {
    title: 'an extra constraint',
    sql: 'alter table hall add constraint low check (id < 900)',
    kind: 'extra-constraint',
    object: 'public.hall.low',
    runs: 'ALTER TABLE "public"."hall" DROP CONSTRAINT "low"',
    loss: [],
  },
  {
    title: 'an extra index',
    sql: 'create index by_id on hall (id desc)',
    kind: 'extra-index',
    object: 'public.by_id',
    runs: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."by_id"',
    loss: [],
  },
  {
    title: 'a type that cuts values',
    sql: `alter table room alter code type text; insert into room values (3, 'toolong', 1)`,
    kind: 'different-type',
    object: 'public.room.code',
    runs: 'ALTER TABLE "public"."room" ALTER COLUMN "code" TYPE character varying(5) USING "code"::character varying(5)',
    loss: changed(1),
  },
  {
    title: 'a type that rounds values',
    sql: `alter table room alter floor type numeric; insert into room values (4, 'B', 1.5), (5, 'C', 2.0)`,
    kind: 'different-type',
    object: 'public.room.floor',
    runs: 'ALTER TABLE "public"."room" ALTER COLUMN "floor" TYPE integer USING "floor"::integer',
    loss: changed(2),
  },
  {
    title: 'a column that makes inserts fail',
    sql: 'alter table hall add must integer not null default 1; alter table hall alter must drop default',
    kind: 'required-extra-column',
    object: 'public.hall.must',
    runs: 'ALTER TABLE "public"."hall" ALTER COLUMN "must" DROP NOT NULL',
    loss: [],
  },
];

describe.each(['online', 'atomic'] as const)('what somebody approves is done once, %s', (execution) => {
  const statement = (runs: string): string =>
    execution === 'atomic' ? runs.replace('CONCURRENTLY ', '') : runs;
  let database: TestDatabase;
  let unattended: HealReport;
  let found: readonly Drift[];
  let approvals: ApprovalReport;
  let healed: HealReport;
  let afterwards: HealReport;

  beforeAll(async () => {
    const made = await scene(cases.map(({ sql }) => sql).join('; '), { execution });
    ({ database } = made);
    const { migrator } = made;
    unattended = await migrator.heal();
    found = (await migrator.check()).drift;
    approvals = await migrator.approve(
      found.map(({ id }) => id),
      'ada@hotel',
    );
    healed = await migrator.heal();
    afterwards = await migrator.heal();
  });

  test('nothing of it was done unattended', () => {
    expect(unattended).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
    expect(approvals.refused).toEqual([]);
  });

  test.each(cases)('$title', ({ kind, object, runs, loss }) => {
    const drift = found.find((each) => each.kind === kind && each.object === object);
    expect(drift?.sql).toEqual([statement(runs)]);
    const { approval } = approvals.approved.find((each) => each.drift.object === object) ?? {};
    expect(approval).toMatchObject({ by: 'ada@hotel', driftId: drift?.id, loss });
    expect(healed.applied.filter((step) => step.object === object).map(({ sql }) => sql)).toEqual([
      statement(runs),
    ]);
  });

  test('all of it is done, and nothing else', () => {
    expect(healed).toMatchObject({ outcome: 'healed', failed: [], open: [] });
    expect(healed.applied).toHaveLength(cases.length);
    expect(afterwards).toMatchObject({ outcome: 'nothing-to-do' });
    // The column that made inserts fail is one that only the database has by now.
    expect(afterwards.drift.map((each) => each.kind)).toEqual(['extra-column']);
  });

  test('the journal has who, and in which run', async () => {
    const uses = `select distinct approved_by as by, run_id::text as run, used_at is not null as used from auto_migration.approval`;
    expect(await database.query(uses)).toEqual([{ by: 'ada@hotel', run: healed.runId, used: true }]);
  });
});

test('what comes back after it was dropped needs another approval', async () => {
  const extra = 'create index by_floor on room (floor)';
  const { database, migrator, find } = await scene(extra);
  const { id } = await find('extra-index');
  await migrator.approve([id], 'ada');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  await database.query(extra);
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
  expect(await find('extra-index')).toMatchObject({ id, disposition: 'extra' });
});

describe('an approval holds for nothing else', () => {
  const NOTE = `alter table room add note text; update room set note = 'x' where id = 1`;

  test.each<[title: string, change: string, reason: RegExp]>([
    ['more values', `update room set note = 'y' where id = 2`, /was for 1 value, and by now it is 2/],
    ['another type', 'alter table room alter note type varchar(9)', /^only the database has it; it stays$/],
  ])('%s since', async (_title, change, reason) => {
    const { database, migrator, find } = await scene(NOTE);
    await migrator.approve([(await find('extra-column')).id], 'ada');
    await database.query(change);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    const drift = await find('extra-column');
    expect(drift).toMatchObject({ disposition: 'extra' });
    expect(drift.reason).toMatch(reason);
    const again = await migrator.approve([drift.id], 'ada');
    expect(again).toMatchObject({ refused: [] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  });

  test('fewer values since are no reason', async () => {
    const { database, migrator, find } = await scene(NOTE);
    await migrator.approve([(await find('extra-column')).id], 'ada');
    await database.query('update room set note = null');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  });

  test('its time is over', async () => {
    const { migrator, find } = await scene(NOTE, { approvalTtlMs: 1000 });
    const { id } = await find('extra-column');
    const { approved } = await migrator.approve([id], 'ada');
    const left = Date.parse(approved[0]?.approval.expiresAt ?? '') - Date.now();
    expect(left).toBeLessThanOrEqual(1000);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    expect(await find('extra-column')).toMatchObject({ disposition: 'extra' });
  });

  test("policy 'off' changes nothing, whoever approves", async () => {
    const { database, migrator, find } = await scene(NOTE);
    await migrator.approve([(await find('extra-column')).id], 'ada');
    const off = new AutoMigrator(await openDataSource(database.url, [room, hall]), {
      execution: 'online',
      policy: 'off',
    });
    expect(await off.heal()).toMatchObject({ outcome: 'skipped', applied: [] });
    expect((await off.check()).drift).toContainEqual(
      expect.objectContaining({
        kind: 'extra-column',
        disposition: 'extra',
        reason: "approved to go, but: policy is 'off': nothing is changed",
      }),
    );
  });
});

describe('what nobody can approve', () => {
  const refused: [title: string, sql: string, object: string, reason: RegExp][] = [
    [
      'rows stand in the way',
      'alter table room alter code drop not null; insert into room values (3, null, 1)',
      'public.room.code',
      /would not change that rows have NULL/,
    ],
    ['it heals anyway', 'alter table room drop column floor', 'public.room.floor', /needs no approval/],
    [
      'there is no statement',
      'drop table hall; create view hall as select 1 as id',
      'public.hall',
      /no statement would bring it about: a view stands/,
    ],
  ];
  let made: Scene;

  beforeAll(async () => {
    made = await scene(refused.map(([, sql]) => sql).join('; '));
  });

  test.each(refused)('%s', async (_title, _sql, object, reason) => {
    const drift = (await made.migrator.check()).drift.find((each) => each.object === object);
    const report = await made.migrator.approve([drift?.id ?? ''], 'ada');
    expect(report).toEqual({
      approved: [],
      refused: [{ id: drift?.id, object, reason: expect.stringMatching(reason) as string }],
    });
  });

  test('an id that no finding has', async () => {
    const report = await made.migrator.approve(['0123456789ab'], 'ada');
    expect(report).toMatchObject({ refused: [{ id: '0123456789ab', object: null }] });
    expect(report.refused[0]?.reason).toMatch(/^no finding has this id/);
  });

  test('nobody in particular', async () => {
    await expect(made.migrator.approve(['0123456789ab'], ' ')).rejects.toThrow('"by"');
  });
});

describe('what depends on it is not dropped along', () => {
  const held: [title: string, sql: string, object: string, obstacle: string][] = [
    [
      'a view on a column',
      'alter table room add note text; create view notes as select note from room',
      'public.room.note',
      'view public.notes depends on it; drop that first',
    ],
    [
      'a foreign key to a table',
      'create table wing (id integer primary key); create table door (id integer references wing)',
      'public.wing',
      'constraint door_id_fkey on table public.door depends on it; drop that first',
    ],
    [
      'a foreign key to the index of a key',
      `alter table room add constraint code_key unique (code); create table lock (code varchar(5) references room (code))`,
      'public.room.code_key',
      'constraint lock_code_fkey on table public.lock depends on it; drop that first',
    ],
    [
      'two views on a view',
      `create view lower as select id from hall; create view low as select id from lower;
       create view lowest as select id from lower`,
      'public.lower',
      'view public.low, view public.lowest depend on it; drop that first',
    ],
    [
      'a generated column',
      'alter table room add a integer, add b integer generated always as (a + 1) stored',
      'public.room.a',
      'column b of table public.room depends on it; drop that first',
    ],
  ];
  let made: Scene;
  let drift: readonly Drift[];

  beforeAll(async () => {
    made = await scene(held.map(([, sql]) => sql).join('; '));
    drift = (await made.migrator.check()).drift;
    const wanted = drift.filter(({ object }) => held.some((each) => each[2] === object));
    await made.migrator.approve(
      wanted.map(({ id }) => id),
      'ada',
    );
    drift = (await made.migrator.check()).drift;
  });

  test.each(held)('%s', (_title, _sql, object, obstacle) => {
    expect(drift.find((each) => each.object === object)).toMatchObject({
      disposition: 'extra',
      reason: `approved to go, but: ${obstacle}`,
      hazards: ['waits'],
    });
  });

  test('and goes once that has gone', async () => {
    expect(await made.migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', failed: [] });
    await made.database.query('drop view notes, low, lowest; drop table door, lock; alter table room drop b');
    const { applied } = await made.migrator.heal();
    expect(applied.map(({ object }) => object).toSorted()).toEqual(
      held.map(([, , object]) => object).toSorted(),
    );
  });
});

test('an approval ahead of a deployment holds for the new release', async () => {
  const { database } = await scene(
    `alter table room alter code type text; insert into room values (3, 'toolong', 1)`,
  );
  const ahead = new AutoMigrator(await openDataSource(database.url, [room, hall]), { execution: 'online' });
  const { drift } = await ahead.check();
  await ahead.approve(
    drift.filter(({ disposition }) => disposition === 'open').map(({ id }) => id),
    'ada',
  );
  const release = new AutoMigrator(await openDataSource(database.url, [room, hall]), { execution: 'online' });
  expect(await release.heal({ trigger: 'bootstrap' })).toMatchObject({ outcome: 'healed' });
  expect(await database.query('select code from room where id = 3')).toEqual([{ code: 'toolo' }]);
});
