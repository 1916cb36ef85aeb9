import { describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { DriftKind } from '../../src/drift/drift-kind.js';
import type { MeasuredLoss } from '../../src/plan/approval.js';
import type { Drift } from '../../src/plan/plan.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { ROOM, room } from './room.js';

interface Scene {
  readonly database: TestDatabase;
  readonly migrator: AutoMigrator;
  readonly find: (kind: DriftKind) => Promise<Drift>;
}

async function scene(sql: string, options: AutoMigratorOptions = {}): Promise<Scene> {
  const database = await createTestDatabase();
  await database.query(`${ROOM}; ${sql}`);
  const dataSource = await openDataSource(database.url, [room]);
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
    runs: 'DROP TABLE "public"."report"',
    loss: rows(7),
  },
  {
    title: 'an extra view',
    sql: 'create view upper_floors as select * from room where floor > 0',
    kind: 'extra-view',
    runs: 'DROP VIEW "public"."upper_floors"',
    loss: [],
  },
  {
    title: 'an extra materialized view',
    sql: 'create materialized view upper_floors as select * from room where floor > 0',
    kind: 'extra-view',
    runs: 'DROP MATERIALIZED VIEW "public"."upper_floors"',
    loss: [],
  },
  {
    title: 'an extra column',
    sql: `alter table room add note text; update room set note = 'x' where id = 1`,
    kind: 'extra-column',
    runs: 'ALTER TABLE "public"."room" DROP COLUMN "note"',
    loss: values(1),
  },
  {
    title: 'an extra constraint',
    sql: 'alter table room add constraint low check (floor < 9)',
    kind: 'extra-constraint',
    runs: 'ALTER TABLE "public"."room" DROP CONSTRAINT "low"',
    loss: [],
  },
  {
    title: 'an extra index',
    sql: 'create index by_floor on room (floor)',
    kind: 'extra-index',
    runs: 'DROP INDEX CONCURRENTLY IF EXISTS "public"."by_floor"',
    loss: [],
  },
  {
    title: 'a type that cuts values',
    sql: `alter table room alter code type text; insert into room values (3, 'toolong', 1)`,
    kind: 'different-type',
    runs: 'ALTER TABLE "public"."room" ALTER COLUMN "code" TYPE character varying(5) USING "code"::character varying(5)',
    loss: changed(1),
  },
  {
    title: 'a type that rounds values',
    sql: `alter table room alter floor type numeric; insert into room values (3, 'B', 1.5), (4, 'C', 2.0)`,
    kind: 'different-type',
    runs: 'ALTER TABLE "public"."room" ALTER COLUMN "floor" TYPE integer USING "floor"::integer',
    loss: changed(2),
  },
  {
    title: 'a column that makes inserts fail',
    sql: 'alter table room add must integer not null default 1; alter table room alter must drop default',
    kind: 'required-extra-column',
    runs: 'ALTER TABLE "public"."room" ALTER COLUMN "must" DROP NOT NULL',
    loss: [],
  },
];

describe.each(cases)('$title', ({ sql, kind, runs, loss }) => {
  test.each(['online', 'atomic'] as const)('stays, until somebody approves: once, %s', async (execution) => {
    const { database, migrator, find } = await scene(sql, { execution });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
    const { id } = await find(kind);

    const report = await migrator.approve([id], 'ada@hotel');
    expect(report).toMatchObject({
      approved: [{ approval: { by: 'ada@hotel', driftId: id, loss } }],
      refused: [],
    });
    expect(await find(kind)).toMatchObject({ id, disposition: 'heal', approval: { by: 'ada@hotel' } });

    const healed = await migrator.heal();
    const expected = execution === 'atomic' ? runs.replace('CONCURRENTLY ', '') : runs;
    expect(healed).toMatchObject({ outcome: 'healed', open: [] });
    expect(healed.applied.map((step) => step.sql)).toEqual([expected]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    const uses = `select drift_id as id, approved_by as by, run_id::text as run, used_at is not null as used
      from auto_migration.approval`;
    expect(await database.query(uses)).toEqual([{ id, by: 'ada@hotel', run: healed.runId, used: true }]);
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
    ['more values', `update room set note = 'y' where id = 2`, /was for 1 values, and by now it is 2/],
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
    const off = new AutoMigrator(await openDataSource(database.url, [room]), {
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
  test.each<[title: string, sql: string, kind: DriftKind, reason: RegExp]>([
    [
      'rows stand in the way',
      `alter table room alter code drop not null; insert into room values (3, null, 1)`,
      'different-nullability',
      /would not change that rows have NULL/,
    ],
    ['it heals anyway', 'alter table room drop column floor', 'missing-column', /needs no approval/],
    [
      'there is no statement',
      'drop table room; create view room as select 1 as id',
      'different-relation',
      /no statement would bring it about/,
    ],
  ])('%s', async (_title, sql, kind, reason) => {
    const { migrator, find } = await scene(sql);
    const { id } = await find(kind);
    const { approved, refused } = await migrator.approve([id], 'ada');
    expect(approved).toEqual([]);
    expect(refused[0]).toMatchObject({ id });
    expect(refused[0]?.reason).toMatch(reason);
  });

  test('an id that no finding has', async () => {
    const { migrator } = await scene('');
    const { refused } = await migrator.approve(['0123456789ab'], 'ada');
    expect(refused).toEqual([
      { id: '0123456789ab', object: null, reason: expect.stringMatching(/no finding has this id/) },
    ]);
  });

  test('nobody', async () => {
    const { migrator } = await scene('');
    await expect(migrator.approve(['0123456789ab'], ' ')).rejects.toThrow('"by"');
  });
});

describe('what depends on it is not dropped along', () => {
  test.each<[title: string, sql: string, kind: DriftKind, obstacle: RegExp]>([
    [
      'a view on a column',
      'alter table room add note text; create view notes as select note from room',
      'extra-column',
      /view public.notes depends on it/,
    ],
    [
      'a foreign key to a table',
      `create table wing (id integer primary key); create table door (id integer references wing)`,
      'extra-table',
      /constraint door_id_fkey on table public.door depends on it/,
    ],
    [
      'a foreign key to a unique index',
      `alter table room add constraint code_key unique (code); create table door (code varchar(5) references room (code))`,
      'extra-constraint',
      /constraint door_code_fkey on table public.door depends on it/,
    ],
    [
      'a view on a view',
      'create view lower as select id from room; create view lowest as select id from lower',
      'extra-view',
      /view public.lowest depends on it/,
    ],
    [
      'a generated column',
      'alter table room add a integer, add b integer generated always as (a + 1) stored',
      'extra-column',
      /column b of table public.room depends on it/,
    ],
  ])('%s', async (_title, sql, kind, obstacle) => {
    const { migrator } = await scene(sql);
    const { drift } = await migrator.check();
    const extras = drift.filter((each) => each.kind === kind);
    await migrator.approve(
      extras.map(({ id }) => id),
      'ada',
    );
    const held = (await migrator.check()).drift.filter(({ reason }) => obstacle.test(reason ?? ''));
    expect(held).toHaveLength(1);
    expect(held[0]).toMatchObject({ disposition: 'extra', hazards: ['waits'] });
    expect((await migrator.heal()).failed).toEqual([]);
  });

  test('and goes once that has gone', async () => {
    const { database, migrator, find } = await scene(
      'alter table room add note text; create view notes as select note from room',
    );
    await migrator.approve([(await find('extra-column')).id], 'ada');
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    await database.query('drop view notes');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  });
});

test('an approval ahead of a deployment holds for the new release', async () => {
  const { database } = await scene(
    `alter table room alter code type text; insert into room values (3, 'toolong', 1)`,
  );
  const ahead = new AutoMigrator(await openDataSource(database.url, [room]), { execution: 'online' });
  const { drift } = await ahead.check();
  await ahead.approve(
    drift.filter(({ disposition }) => disposition === 'open').map(({ id }) => id),
    'ada',
  );
  const release = new AutoMigrator(await openDataSource(database.url, [room]), { execution: 'online' });
  expect(await release.heal({ trigger: 'bootstrap' })).toMatchObject({ outcome: 'healed' });
  expect(await database.query('select code from room where id = 3')).toEqual([{ code: 'toolo' }]);
});
