import pg from 'pg';
import { ViewColumn, ViewEntity, type EntitySchema } from 'typeorm';
import { describe, expect, test, vi } from 'vitest';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { RollbackReport } from '../../src/heal/rollback.js';
import type { TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';
import { CATALOG } from './catalog.js';
import {
  approveAll,
  approveUndo,
  healedRun,
  hotel,
  lift,
  lifts,
  reasonsOf,
  release,
  sqlOf,
  table,
  TEXT,
} from './releases.js';

/** Somebody builds an index in a transaction that ends once the undo has begun. */
async function whileIndexIsBuilt(
  database: TestDatabase,
  on: string,
  undo: () => Promise<HealReport | RollbackReport>,
): Promise<Pick<HealReport, 'applied' | 'failed'>> {
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  closeAfter('test', () => other.end());
  await other.query(`begin; create index meanwhile on ${on}`);
  const undone = undo();
  await vi.waitFor(async () => {
    expect(await database.query(`select from auto_migration.step where outcome = 'running'`)).not.toEqual([]);
  }, 5000);
  await other.query('commit');
  return undone;
}

describe('what a later run has done is not taken back by way of an earlier one', () => {
  test('a default, with which rows were written since', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [lift({ code: TEXT })]));
    const later = await release(database, [lift({ code: { ...TEXT, default: 'b' } })]);
    const laterRun = await healedRun(later);
    await database.query('insert into lift (id) values (3), (4)');
    const reason = `run ${laterRun} has changed it since; take that back first`;
    expect(await later.rollback(run, 'ada')).toMatchObject({ applied: [], notUndone: [{ reason }] });
    expect(sqlOf(await later.rollback(laterRun, 'ada'))).toHaveLength(1);
    const { applied, open } = await later.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(open.map((each) => each.reason)).toEqual([expect.stringMatching(/would lose 2 values/)]);
    expect(await database.query('select code from lift order by id')).toHaveLength(4);
  });

  test('a default that came by hand', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ code: TEXT })]);
    const run = await healedRun(migrator);
    await database.query(
      `alter table lift alter code set default 'b'; insert into lift (id) values (3); update lift set code = 'b' where id = 1`,
    );
    const { applied, open } = await migrator.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(open.map(({ reason }) => reason)).toEqual([expect.stringMatching(/would lose 2 values/)]);
  });

  test('a column of the name that the first one had', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [lift({ a: TEXT })]));
    await database.query(`update lift set a = 'kept'`);
    const renamedFrom = { columns: { 'lift.b': ['a'] } };
    await healedRun(await release(database, [lift({ b: TEXT })], { renamedFrom }));
    const last = await release(database, [lift({ a: TEXT, b: TEXT })]);
    const lastRun = await healedRun(last);
    expect(await last.rollback(run, 'ada')).toMatchObject({
      outcome: 'nothing-to-do',
      notUndone: [{ reason: `run ${lastRun} has changed it since; take that back first` }],
      pinned: [],
    });
    expect(await database.query('select a, b from lift')).toEqual([
      { a: null, b: 'kept' },
      { a: null, b: 'kept' },
    ]);
  });

  test('a table of the name that the first one had', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [table('a')]));
    await database.query('insert into a values (1)');
    await healedRun(await release(database, [table('b')], { renamedFrom: { tables: { b: ['a'] } } }));
    const last = await release(database, [table('a'), table('b')]);
    const lastRun = await healedRun(last);
    const { applied, notUndone } = await last.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(notUndone.map(({ reason }) => reason)).toContain(
      `run ${lastRun} has changed it since; take that back first`,
    );
    expect(await database.query('select * from a, b')).toEqual([]);
  });

  test('a default that the one of the run begins with', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ stars: { type: 'integer', default: 36 } })]);
    const run = await healedRun(migrator);
    await database.query('alter table lift alter stars set default 3; insert into lift (id) values (3)');
    const report = await migrator.rollback(run, 'ada');
    expect(report.applied).toEqual([]);
    expect(reasonsOf(report)).toEqual([expect.stringMatching(/would lose 3 values/)]);
  });

  test('a unique over a column of the earlier one, nor an index and a check by hand', async () => {
    const database = await hotel();
    const columns = { floor: { type: 'integer', default: 1 } } as const;
    const run = await healedRun(await release(database, [lift(columns)]));
    const later = await release(database, [
      lift(columns, { uniques: [{ name: 'lift_unique', columns: ['id', 'floor'] }] }),
    ]);
    await healedRun(later);
    await database.query(
      'create index by_hand on lift (floor); alter table lift add constraint hand_check check (floor > id - 9)',
    );
    const report = await later.rollback(run, 'ada');
    expect(report.applied).toEqual([]);
    expect(reasonsOf(report)).toEqual([
      'by_hand, hand_check, lift_unique would go with it, and not come back: take that back or drop it first, or approve this',
    ]);
    await approveUndo(later);
    await database.query('create index after_all on lift (floor)');
    const voided = await later.heal();
    expect(voided.applied).toEqual([]);
    expect(reasonsOf(voided)).toEqual([
      expect.stringMatching(/^after_all, by_hand, hand_check, lift_unique/),
    ]);
    await approveUndo(later);
    expect(sqlOf(await later.heal())).toEqual([
      'DROP INDEX IF EXISTS "public"."after_all"',
      'DROP INDEX IF EXISTS "public"."by_hand"',
      'ALTER TABLE "public"."lift" DROP CONSTRAINT IF EXISTS "hand_check"',
      'ALTER TABLE "public"."lift" DROP CONSTRAINT IF EXISTS "lift_unique"',
      'ALTER TABLE "public"."lift" DROP COLUMN "floor"',
    ]);
  });

  test.each(['approved', 'not approved'])(
    'an index that is built while the undo waits for its table, %s',
    async (how) => {
      const database = await hotel();
      const migrator = await release(database, [lift({ code: TEXT })], { lockTimeoutMs: 5000 });
      const run = await healedRun(migrator);
      const isApproved = how === 'approved';
      if (isApproved) {
        await database.query(`update lift set code = 'x'`);
        await migrator.rollback(run, 'ada');
        await approveUndo(migrator);
      }
      const { applied, failed } = await whileIndexIsBuilt(database, 'lift (code)', () =>
        isApproved ? migrator.heal() : migrator.rollback(run, 'ada'),
      );
      expect(applied).toEqual([]);
      expect(failed.map(({ error }) => error)).toEqual([
        expect.stringMatching(/^meanwhile was built on it meanwhile, and would go with it/),
      ]);
      const { drift } = await migrator.check();
      expect(reasonsOf({ open: drift })).toContainEqual(expect.stringMatching(/meanwhile would go with it/));
    },
  );

  const STATISTICS = 'create statistics by_hand on id, code from lift';
  @ViewEntity({ name: 'lifts', materialized: true, expression: 'SELECT id FROM lift' })
  class Lifts {
    @ViewColumn() id!: number;
  }
  type Entity = EntitySchema | typeof Lifts;
  const builds: Record<string, readonly [entities: readonly Entity[], by: string, drops: readonly string[]]> =
    {
      'statistics over a column': [
        [lift({ code: TEXT })],
        STATISTICS,
        ['DROP STATISTICS IF EXISTS "public"."by_hand"'],
      ],
      'an index on a materialized view': [
        [lift({}), Lifts],
        'create index by_hand on lifts (id)',
        ['DROP INDEX IF EXISTS "public"."by_hand"'],
      ],
      'a generated column that reads it': [
        [lift({ code: TEXT })],
        `alter table lift add by_hand text generated always as (coalesce(code, 'x')) stored`,
        ['ALTER TABLE "public"."lift" DROP COLUMN "by_hand"'],
      ],
      'a sequence of a column': [
        [lift({ code: TEXT })],
        'create sequence by_hand owned by lift.code',
        ['DROP SEQUENCE "public"."by_hand"'],
      ],
      'an index that has taken the place of one of the run': [
        [lift({ code: TEXT }, { indices: [{ name: 'by_code', columns: ['code'] }] })],
        'drop index by_code; create unique index by_code on lift (code, id)',
        ['DROP INDEX IF EXISTS "public"."by_code"'],
      ],
      'an index and a check of a table that inherits': [
        [lift({ code: TEXT })],
        `create table by_hand () inherits (lift); create index hand_index on by_hand (code);
        alter table by_hand add constraint hand_check check (code <> '')`,
        [
          'DROP INDEX IF EXISTS "public"."hand_index"',
          'ALTER TABLE "public"."by_hand" DROP CONSTRAINT IF EXISTS "hand_check"',
        ],
      ],
      'a rule of a view': [
        [lift({}), lifts('SELECT id FROM lift', { id: { type: 'integer' } })],
        'create rule by_hand as on delete to lifts do instead nothing',
        ['DROP RULE "by_hand" ON "public"."lifts"'],
      ],
      'what is called as a column of the table is': [
        [lift({}), table('room', { code: TEXT })],
        'create policy code on room; create statistics room on id, code from room',
        ['DROP POLICY "code" ON "public"."room"', 'DROP STATISTICS IF EXISTS "public"."room"'],
      ],
      'an exclusion with a condition': [
        [lift({ code: { type: 'integer', nullable: true } })],
        'alter table lift add constraint by_hand exclude using btree (id with =) where (code > 0)',
        ['ALTER TABLE "public"."lift" DROP CONSTRAINT IF EXISTS "by_hand"'],
      ],
      'what others have added to an empty table': [
        [
          lift({}),
          table(
            'room',
            { code: TEXT },
            { indices: [{ columns: ['code'] }], uniques: [{ columns: ['code'] }] },
          ),
        ],
        `create index by_hand on room (code); create policy hand_policy on room; alter table room add hand_column text;
        alter table room add constraint hand_check check (hand_column <> code);
        create trigger hand_trigger before update on room for each row execute function suppress_redundant_updates_trigger();
        create statistics hand_statistics on id, code from room`,
        [
          'DROP POLICY "hand_policy" ON "public"."room"',
          'DROP TRIGGER "hand_trigger" ON "public"."room"',
          'DROP STATISTICS IF EXISTS "public"."hand_statistics"',
          'DROP INDEX IF EXISTS "public"."by_hand"',
          'ALTER TABLE "public"."room" DROP CONSTRAINT IF EXISTS "hand_check"',
          'ALTER TABLE "public"."room" DROP COLUMN "hand_column"',
        ],
      ],
    };
  test.for(Object.entries(builds))('%s', async ([, [entities, byHand, drops]]) => {
    const database = await hotel();
    const migrator = await release(database, entities);
    const run = await healedRun(migrator);
    await database.query(byHand);
    const report = await migrator.rollback(run, 'ada');
    expect(report).toMatchObject({ applied: [], failed: [] });
    expect(reasonsOf(report)).toEqual([expect.stringMatching(/would go with it, and not come back/)]);
    await approveUndo(migrator);
    const undone = await migrator.heal();
    expect(undone.failed).toEqual([]);
    expect(sqlOf(undone)).toEqual([...drops, expect.stringMatching(/^(DROP|ALTER)/)]);
    expect(report.open.flatMap(({ sql }) => sql)).toEqual(sqlOf(undone));
  });

  test('an index that is built on a materialized view while the undo waits for it', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({}), Lifts], { lockTimeoutMs: 5000 });
    const run = await healedRun(migrator);
    const { applied, failed } = await whileIndexIsBuilt(database, 'lifts (id)', () =>
      migrator.rollback(run, 'ada'),
    );
    expect(applied).toEqual([]);
    expect(failed.map(({ error }) => error)).toEqual([expect.stringMatching(/^meanwhile was built on it/)]);
  });

  test('a column of a table that was dropped and made anew', async () => {
    const database = await hotel('create table room (id integer constraint room_pkey primary key)');
    const room = table('room');
    const run = await healedRun(await release(database, [room, lift({ code: TEXT })]));
    const without = await release(database, [room]);
    await approveAll(without);
    const { runId: dropped } = await without.heal();
    const again = await release(database, [room, lift({ code: TEXT })]);
    await healedRun(again);
    expect(await again.rollback(run, 'ada')).toMatchObject({
      applied: [],
      notUndone: [
        {
          reason: `run ${dropped} has changed it since, and that cannot be taken back: what was dropped is gone`,
        },
      ],
    });
  });

  test('nor by an undo that was open when the later run came', async () => {
    const database = await hotel();
    const first = await release(database, [lift({ code: TEXT })]);
    const run = await healedRun(first);
    await database.query(`update lift set code = 'x'`);
    expect(await first.rollback(run, 'ada')).toMatchObject({ open: [{ kind: 'undo' }] });
    const later = await release(database, [lift({ code: { ...TEXT, default: 'b' } })]);
    await later.heal();
    await database.query('update lift set code = null');
    expect(await later.heal()).toMatchObject({ applied: [], open: [] });
  });

  test('nor what a later run did that died before it could say so', async () => {
    const database = await hotel(`alter table lift add code text default 'z'`);
    const run = await healedRun(await release(database, [lift({ code: { ...TEXT, default: 'a' } })]));
    const later = await release(database, [lift({ code: { ...TEXT, default: 'b' } })]);
    const died = await healedRun(later);
    await database.query(`update auto_migration.step set outcome = 'running' where run_id = ${died}`);
    expect(await later.rollback(run, 'ada')).toMatchObject({
      applied: [],
      notUndone: [{ reason: `run ${died} has changed it since; take that back first` }],
    });
  });
});

test('a key is taken back with the index that an earlier run had begun it with before it died', async () => {
  const database = await hotel('alter table lift add code text');
  const before = await database.query(CATALOG);
  const code = { ...TEXT, comment: 'told' };
  const died = await healedRun(await release(database, [lift({ code })]));
  const keyed = lift({ code }, { uniques: [{ name: 'lift_code', columns: ['code'] }] });
  const migrator = await release(database, [keyed], { smallTableBytes: 0 });
  const run = await healedRun(migrator);
  await database.query(
    `update auto_migration.step set run_id = ${died} where sql like 'CREATE UNIQUE INDEX %'`,
  );
  const { notUndone } = await migrator.rollback(died, 'ada');
  const reason = `run ${run} has changed it since; take that back first`;
  expect(notUndone).toMatchObject([{ object: 'public.lift.lift_code', reason }]);
  expect(await migrator.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', failed: [] });
  expect(await database.query(CATALOG)).toEqual(before);
  expect(await migrator.rollback(died, 'ada')).toMatchObject({ applied: [], open: [], failed: [] });
  expect(await migrator.heal()).toMatchObject({
    applied: [],
    open: [{ hazards: ['pinned'] }, { hazards: ['pinned'] }],
  });
});

test('a check that is called as a column is taken back on its own', async () => {
  const database = await hotel('alter table lift add n integer');
  const before = await database.query(CATALOG);
  const entity = lift(
    { n: { type: 'integer', nullable: true }, code: TEXT },
    { checks: [{ name: 'code', expression: 'n > 0' }] },
  );
  const migrator = await release(database, [entity]);
  expect(await migrator.rollback(await healedRun(migrator), 'ada')).toMatchObject({ outcome: 'undone' });
  expect(await database.query(CATALOG)).toEqual(before);
});

test.for([
  [
    'an exclusion with an expression',
    `create table slot (id integer constraint slot_pkey primary key)`,
    table(
      'slot',
      { a: { type: 'integer', nullable: true }, b: { type: 'integer', nullable: true } },
      { exclusions: [{ name: 'no_overlap', expression: 'USING gist (int4range(a, b) WITH &&)' }] },
    ),
  ],
  [
    'an index of a partitioned table',
    `create table slot (id integer constraint slot_pkey primary key) partition by range (id);
      create table slot_1 partition of slot for values from (1) to (9); insert into slot values (1)`,
    table(
      'slot',
      { a: { type: 'integer', nullable: true } },
      { indices: [{ name: 'by_a', columns: ['a'] }] },
    ),
  ],
] as const)('%s of new columns is none of others', async ([, legacy, entity]) => {
  const database = await hotel(legacy);
  const before = await database.query(CATALOG);
  const migrator = await release(database, [lift({}), entity]);
  const report = await migrator.rollback(await healedRun(migrator), 'ada');
  expect(report).toMatchObject({ outcome: 'undone', failed: [], notUndone: [] });
  expect(await database.query(CATALOG)).toEqual(before);
});

test('a key of a large partitioned table over a new column is none of others', async () => {
  const database =
    await hotel(`create table slot (id integer constraint slot_pkey primary key) partition by range (id);
    create table slot_1 partition of slot for values from (1) to (9); insert into slot values (1)`);
  const slot = table(
    'slot',
    { a: { type: 'integer', nullable: true } },
    { uniques: [{ name: 'slot_a', columns: ['id', 'a'] }] },
  );
  const migrator = await release(database, [lift({}), slot], { smallTableBytes: 0 });
  const run = await healedRun(migrator);
  expect(sqlOf({ applied: (await migrator.history(1))[0]?.steps ?? [] })).toContainEqual(
    expect.stringMatching(/^ALTER TABLE ONLY .* ADD CONSTRAINT "slot_a" /),
  );
  expect(reasonsOf(await migrator.rollback(run, 'ada'))).not.toContainEqual(
    expect.stringMatching(/would go with it/),
  );
});

test('what a later run has replaced for good is told as such', async () => {
  const database = await hotel();
  const rule = (expression: string) => lift({ code: TEXT }, { checks: [{ name: 'known', expression }] });
  const run = await healedRun(await release(database, [rule(`code <> 'a'`)]));
  const later = await release(database, [rule(`code <> 'b'`)]);
  const laterRun = await healedRun(later);
  const { notUndone } = await later.rollback(run, 'ada');
  expect(notUndone.map(({ reason }) => reason)).toContain(
    `run ${laterRun} has changed it since, and that cannot be taken back: what it replaced is not known`,
  );
});

test('what somebody has replaced by hand stays as it is', async () => {
  const database = await hotel('alter table lift add n integer, add code text');
  const view = lifts('select id from lift', { id: { type: 'integer' } });
  const entity = lift(
    { n: { type: 'integer', nullable: true }, code: { ...TEXT, default: 'a', comment: 'a' } },
    { indices: [{ name: 'by_n', columns: ['n'] }], checks: [{ name: 'positive', expression: 'n > 0' }] },
  );
  const migrator = await release(database, [entity, view]);
  const run = await healedRun(migrator);
  await database.query(`alter table lift alter code set default 'mine'; comment on column lift.code is 'mine';
    drop index by_n; create unique index by_n on lift (n, code);
    alter table lift drop constraint positive, add constraint positive check (n > 7);
    create or replace view lifts as select id, 1 as mine from lift`);
  const before = await database.query(CATALOG);
  const { applied, notUndone } = await migrator.rollback(run, 'ada');
  expect(applied).toEqual([]);
  expect(notUndone.map(({ reason }) => reason)).toContain(
    'it is not there as the run has made it: somebody has changed it, or a later run has renamed it, which is to be taken back first',
  );
  expect(await database.query(CATALOG)).toEqual(before);
});

test('a type that somebody has given by hand stays', async () => {
  const database = await hotel('alter table lift add code varchar(5)');
  const migrator = await release(database, [lift({ code: { type: 'varchar', length: 9, nullable: true } })]);
  const run = await healedRun(migrator);
  await database.query('alter table lift alter code type text');
  expect(await migrator.rollback(run, 'ada')).toMatchObject({
    applied: [],
    notUndone: [{ action: 'change type' }],
  });
});

test('a column that a later release has made nullable is taken back', async () => {
  const database = await hotel();
  const first = await release(database, [lift({ code: { type: 'text', default: 'a' } })]);
  const run = await healedRun(first);
  const later = await release(database, [lift({ code: { ...TEXT, default: 'a' } })]);
  await healedRun(later);
  expect(sqlOf(await later.rollback(run, 'ada'))).toEqual(['ALTER TABLE "public"."lift" DROP COLUMN "code"']);
});

test('a column goes where the run itself has put an index on it that cannot be taken back', async () => {
  const database =
    await hotel(`create table room (id integer constraint room_pkey primary key) partition by range (id);
    create table room_1 partition of room for values from (1) to (9); insert into room values (1)`);
  const entity = table('room', { code: TEXT }, { indices: [{ name: 'by_code', columns: ['code'] }] });
  const migrator = await release(database, [entity], { smallTableBytes: 0 });
  const run = await healedRun(migrator);
  const { applied, open } = await migrator.rollback(run, 'ada');
  expect(applied.map(({ action }) => action)).toContain('undo add column');
  expect(open.filter(({ kind }) => kind === 'undo')).toEqual([]);
});

test('a column keeps its new name while a unique over it waits for somebody', async () => {
  const database = await hotel('alter table lift add old integer');
  const migrator = await release(
    database,
    [lift({ n: { type: 'integer', nullable: true } }, { uniques: [{ name: 'lift_n', columns: ['n'] }] })],
    { renamedFrom: { columns: { 'lift.n': ['old'] } } },
  );
  const run = await healedRun(migrator);
  await database.query('create table ride (n integer references lift (n))');
  expect(await migrator.rollback(run, 'ada')).toMatchObject({
    applied: [],
    failed: [{ action: 'undo add unique' }],
  });
  await database.query('drop table ride');
  expect(await migrator.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', failed: [], notUndone: [] });
});

test('a type goes back with the new view over it', async () => {
  const database = await hotel('alter table lift add code varchar(5)');
  const view = lifts('select id, code from lift', { id: { type: 'integer' }, code: { type: 'varchar' } });
  const migrator = await release(database, [
    lift({ code: { type: 'varchar', length: 20, nullable: true } }),
    view,
  ]);
  const run = await healedRun(migrator);
  const { applied, failed } = await migrator.rollback(run, 'ada');
  expect(failed).toEqual([]);
  expect(applied.map(({ action }) => action)).toEqual(['undo create view', 'undo change type']);
});

test('an index that became a key is gone with it, and told as undone', async () => {
  const database = await hotel('alter table lift add code text');
  const migrator = await release(
    database,
    [lift({ code: TEXT }, { uniques: [{ name: 'lift_code', columns: ['code'] }] })],
    {
      smallTableBytes: 0,
    },
  );
  const run = await healedRun(migrator);
  expect(await migrator.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', notUndone: [] });
});

test('what is in schemas that are not looked at is neither undone now nor later', async () => {
  const database = await hotel(
    'create schema app; create table app.x (id integer constraint x_pkey primary key)',
  );
  const entities = [lift({ code: TEXT }), table('x', { code: TEXT }, { schema: 'app' })];
  const all = await release(database, entities);
  const run = await healedRun(all);
  const part = await release(database, entities, { schemas: ['public'] });
  expect(await part.rollback(run, 'ada')).toMatchObject({
    outcome: 'partly-undone',
    applied: [{ object: 'public.lift.code' }],
    notUndone: [{ object: 'app.x.code', reason: 'it is in a schema that is not looked at' }],
  });
  expect(await all.heal()).toMatchObject({ applied: [], open: [{ object: 'public.lift.code' }] });
});
