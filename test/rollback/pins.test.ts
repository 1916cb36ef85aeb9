import type { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { approveAll, healedRun, hotel, lift, release, sqlOf, table, TEXT } from './releases.js';

describe('what was undone stays undone', () => {
  test('where another application of the database carries out what was approved', async () => {
    const database = await hotel('create table room (id integer constraint room_pkey primary key)');
    const one = await release(database, [lift({ code: TEXT })]);
    const other = await release(database, [table('room')]);
    const run = await healedRun(one);
    await database.query(`update lift set code = 'x' where id = 1`);
    const { open } = await one.rollback(run, 'ada');
    await one.approve(
      open.map(({ id }) => id),
      'ada',
    );
    expect(sqlOf(await other.heal())).toEqual(['ALTER TABLE "public"."lift" DROP COLUMN "code"']);
    expect(await one.heal()).toMatchObject({
      outcome: 'nothing-to-do',
      open: [{ kind: 'missing-column', hazards: ['pinned'] }],
    });
  });

  test("where an older version's journal says so, which knows no more than the object", async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ code: TEXT })]);
    await migrator.rollback(await healedRun(migrator), 'ada');
    await database.query(`alter table auto_migration.pin drop column id, drop column table_schema, drop column table_name,
      drop column kind, drop column desired`);
    expect(await migrator.heal()).toMatchObject({ applied: [], open: [{ hazards: ['pinned'] }] });
    await approveAll(migrator);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await database.query('select id, table_name, kind, desired from auto_migration.pin')).toEqual([]);
  });

  test('where the former release had it undone, while the new one runs', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ code: TEXT })]);
    const run = await healedRun(migrator);
    const former = await release(database, [lift({})]);
    expect(await former.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', pinned: [] });
    expect(await migrator.heal()).toMatchObject({ applied: [], open: [{ hazards: ['pinned'] }] });
  });

  test('until the entities have asked for something else, and got it', async () => {
    const database = await hotel();
    const first = await release(database, [lift({ code: TEXT })]);
    await first.rollback(await healedRun(first), 'ada');
    const short = { type: 'character varying', length: 5, nullable: true } as const;
    await healedRun(await release(database, [lift({ code: short })]));
    const again = await release(database, [lift({ code: TEXT })]);
    expect(await again.heal()).toMatchObject({ outcome: 'healed', applied: [{ action: 'change type' }] });
  });

  test('also when the runs are deleted that tell of it', async () => {
    const database = await hotel('alter table lift add code text');
    const [a, b] = ['a', 'b'].map((value) => lift({ code: { ...TEXT, default: value } }));
    const first = await release(database, [a as EntitySchema]);
    await first.rollback(await healedRun(first), 'ada');
    await healedRun(await release(database, [b as EntitySchema]));
    await database.query('delete from auto_migration.run');
    expect(await (await release(database, [a as EntitySchema])).heal()).toMatchObject({ outcome: 'healed' });
  });

  test('under the new name of its table and of its column', async () => {
    const database = await hotel('alter table lift add old text');
    const first = await release(database, [lift({ old: { ...TEXT, comment: 'undone' }, code: TEXT })]);
    await first.rollback(await healedRun(first), 'ada');
    const renamed = table('elevator', { sign: { ...TEXT, comment: 'undone' }, code: TEXT });
    const renamedFrom = { tables: { elevator: ['lift'] }, columns: { 'elevator.sign': ['old'] } };
    const second = await release(database, [renamed], { renamedFrom });
    const report = await second.heal();
    expect(
      report.applied.map(({ action }) => action).filter((action) => !action.startsWith('rename')),
    ).toEqual([]);
    expect(report.open.map(({ object, hazards }) => [object, hazards])).toEqual([
      ['public.elevator.sign', ['pinned']],
      ['public.elevator.code', ['pinned']],
    ]);
    expect(await (await release(database, [renamed])).heal()).toMatchObject({ applied: [], open: [{}, {}] });
  });

  test('also an index, a check and keys, whose texts and generated names follow a rename', async () => {
    const database = await hotel(
      'alter table lift add old text, add code text; create table part (id integer constraint part_pkey primary key, lift integer)',
    );
    const parts = (target: string) =>
      table(
        'part',
        { lift: { type: 'integer', nullable: true } },
        { foreignKeys: [{ target, columnNames: ['lift'], referencedColumnNames: ['id'] }] },
      );
    const of = (name: string, column: string) =>
      table(
        name,
        { [column]: TEXT, code: TEXT },
        {
          indices: [{ columns: [column, 'code'] }],
          uniques: [{ columns: [column] }],
          checks: [{ expression: `"${column}" <> 'old' and lower("${column}") < code` }],
        },
      );
    const first = await release(database, [of('lift', 'old'), parts('lift')]);
    expect(await first.rollback(await healedRun(first), 'ada')).toMatchObject({ outcome: 'undone' });
    const entities = [of('elevator', 'order'), parts('elevator')];
    const renamedFrom = { tables: { elevator: ['lift'] }, columns: { 'elevator.order': ['old'] } };
    const report = await (await release(database, entities, { renamedFrom })).heal();
    expect(report.applied.map(({ action }) => action)).toEqual([
      'rename table',
      'rename constraint',
      'rename column',
    ]);
    const after = await (await release(database, entities)).heal();
    for (const { open } of [report, after])
      expect(open.map(({ kind, hazards }) => [kind, hazards])).toEqual([
        ['missing-constraint', ['pinned']],
        ['missing-constraint', ['pinned']],
        ['missing-index', ['pinned']],
        ['missing-constraint', ['pinned']],
      ]);
    expect(after.applied).toEqual([]);
    const again = await release(database, entities);
    await approveAll(again);
    expect(await again.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await database.query('select from auto_migration.pin')).toEqual([]);
  });

  test('and nothing else of the same object is', async () => {
    const database = await hotel(`alter table lift add name text not null default 'x', add code text`);
    const options = {
      backfills: [{ table: 'lift', column: 'code', expression: 'upper(name)', repeat: 'every-run' as const }],
    };
    const migrator = await release(
      database,
      [lift({ name: { ...TEXT, default: 'x', comment: 'told' }, code: { type: 'text' } })],
      options,
    );
    await migrator.rollback(await healedRun(migrator), 'ada');
    await database.query('alter table lift alter name set not null; insert into lift (id) values (3)');
    const { applied, open } = await migrator.heal();
    expect(applied.map(({ action, object }) => `${action} ${object}`)).toEqual([
      'drop not null public.lift.name',
      'fill public.lift.code',
    ]);
    expect(open.map(({ kind, hazards }) => [kind, hazards])).toEqual([
      ['different-comment', ['pinned']],
      ['different-nullability', ['pinned']],
    ]);
  });

  test('until somebody approves the whole, with its values', async () => {
    const database = await hotel();
    const entity = lift({ key: { type: 'uuid', default: () => 'gen_random_uuid()' } });
    const migrator = await release(database, [entity]);
    await migrator.rollback(await healedRun(migrator), 'ada');
    await approveAll(migrator);
    await migrator.heal();
    const { drift } = await migrator.check();
    await migrator.approve(
      drift.filter(({ kind }) => kind === 'missing-column').map(({ id }) => id),
      'bob',
    );
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await database.query('select from lift where key is null')).toEqual([]);
  });

  test('or until it comes in another type, which is filled as any other', async () => {
    const database = await hotel();
    const key = (type: 'uuid' | 'text') => lift({ key: { type, default: () => 'gen_random_uuid()' } });
    const first = await release(database, [key('uuid')]);
    await first.rollback(await healedRun(first), 'ada');
    await approveAll(first);
    await first.heal();
    const second = await release(database, [key('text')]);
    expect(await second.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await database.query('select from lift where key is null')).toEqual([]);
  });

  const CODE = lift({ code: TEXT });
  const ROOM = table('room', { code: TEXT });
  const TWICE: Record<string, readonly [EntitySchema[], EntitySchema[], AutoMigratorOptions?]> = {
    'a column and its default': [[CODE], [lift({ code: { ...TEXT, default: 'b' } })]],
    'a column and its name': [
      [CODE],
      [lift({ sign: TEXT })],
      { renamedFrom: { columns: { 'lift.sign': ['code'] } } },
    ],
    'a table and a column of it': [
      [lift({}), ROOM],
      [lift({}), table('room', { code: TEXT, more: TEXT })],
    ],
    'a table and its name': [
      [lift({}), ROOM],
      [lift({}), table('hall', { code: TEXT })],
      { renamedFrom: { tables: { hall: ['room'] } } },
    ],
  };
  test.for(Object.entries(TWICE))('where two runs have made %s', async ([, [first, second, options]]) => {
    const database = await hotel();
    const run = await healedRun(await release(database, first));
    const latest = await release(database, second, options);
    const laterRun = await healedRun(latest);
    expect(await latest.rollback(laterRun, 'ada')).toMatchObject({ outcome: 'undone' });
    expect(await latest.rollback(run, 'ada')).toMatchObject({ outcome: 'undone' });
    expect(await latest.heal()).toMatchObject({ applied: [], open: [{ hazards: ['pinned'] }] });
    await approveAll(latest);
    expect(await latest.heal()).toMatchObject({ outcome: 'healed', open: [] });
    // And nothing is left of it, whatever comes.
    await database.query(
      'alter table lift drop column if exists code, drop column if exists sign; drop table if exists room, hall',
    );
    expect(await latest.heal()).toMatchObject({ outcome: 'healed', open: [] });
  });

  test('and not another index of the same meaning', async () => {
    const database = await hotel('alter table lift add code text');
    const indexed = (...names: string[]) =>
      lift({ code: TEXT }, { indices: names.map((name) => ({ name, columns: ['code'] })) });
    await healedRun(await release(database, [indexed('one')]));
    const both = await release(database, [indexed('one', 'two')]);
    await both.rollback(await healedRun(both), 'ada');
    await database.query('drop index one');
    expect(await both.heal()).toMatchObject({
      applied: [{ object: 'public.one' }],
      open: [{ object: 'public.two', hazards: ['pinned'] }],
    });
  });

  test('whatever somebody has given its name to', async () => {
    const database = await hotel('alter table lift add code text');
    const indexed = (name: string) => lift({ code: TEXT }, { indices: [{ name, columns: ['code'] }] });
    const first = await release(database, [indexed('by_code')]);
    await first.rollback(await healedRun(first), 'ada');
    await database.query('create index by_code on lift (code, id)');
    expect(await (await release(database, [indexed('called')])).heal()).toMatchObject({
      applied: [],
      open: [{ object: 'public.called', hazards: ['pinned'] }],
    });
  });

  test('also a check, when a column comes that is called as it is', async () => {
    const database = await hotel('alter table lift add n integer');
    const n = { type: 'integer', nullable: true } as const;
    const checks = [{ name: 'code', expression: 'n > 0' }];
    const first = await release(database, [lift({ n }, { checks })]);
    await first.rollback(await healedRun(first), 'ada');
    const next = await release(database, [lift({ n, code: TEXT }, { checks })]);
    await next.heal();
    expect(await next.heal()).toMatchObject({
      applied: [],
      open: [{ kind: 'missing-constraint', hazards: ['pinned'] }],
    });
  });

  test('and no column for the type that it had', async () => {
    const database = await hotel('alter table lift add code varchar(5)');
    const migrator = await release(database, [lift({ code: TEXT })]);
    await migrator.rollback(await healedRun(migrator), 'ada');
    await database.query('alter table lift drop column code');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
  });

  test('and no column that the application does not know, for its NOT NULL', async () => {
    const database = await hotel(`alter table lift add code text; update lift set code = 'a'`);
    const migrator = await release(database, [lift({ code: { type: 'text' } })]);
    await migrator.rollback(await healedRun(migrator), 'ada');
    await database.query('alter table lift alter code set not null');
    const without = await release(database, [lift({})]);
    const { drift } = await without.check();
    expect(drift).toMatchObject([{ kind: 'required-extra-column', hazards: ['undecided'] }]);
  });

  test('until its table is made anew, with all that is on it', async () => {
    const database = await hotel('alter table lift add code text');
    const indexed = lift({ code: TEXT }, { indices: [{ name: 'by_code', columns: ['code'] }] });
    const migrator = await release(database, [indexed]);
    await migrator.rollback(await healedRun(migrator), 'ada');
    await database.query('drop table lift');
    await healedRun(migrator);
    await database.query('drop index by_code');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
  });
});
