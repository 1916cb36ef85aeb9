import type { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { healedRun, hotel, lift, reasonsOf, release, sqlOf, table, TEXT } from './releases.js';

const to = (target: string, name: string) =>
  ({ type: 'integer', nullable: true, foreignKey: { target, name } }) as const;
const state = { type: 'enum', enum: ['up', 'down'], enumName: 'state', nullable: true } as const;

const POINTING: Record<string, readonly EntitySchema[]> = {
  'the first to the next': [table('a', { b: to('b', 'a_b') }), table('b', { c: to('c', 'b_c') }), table('c')],
  'the last to the one before': [
    table('a'),
    table('b', { a: to('a', 'b_a') }),
    table('c', { b: to('b', 'c_b') }),
  ],
  'each to the other': [table('a', { b: to('b', 'a_b') }), table('b', { a: to('a', 'b_a') })],
  'to itself and in a circle': [
    table('a', { a: to('a', 'a_a'), b: to('b', 'a_b') }),
    table('b', { c: to('c', 'b_c') }),
    table('c', { a: to('a', 'c_a'), b: to('b', 'c_b') }),
  ],
};

test.for(Object.entries(POINTING))('new tables that point %s are undone at once', async ([, entities]) => {
  const database = await hotel();
  const migrator = await release(database, [lift({}), ...entities]);
  expect(await migrator.rollback(await healedRun(migrator), 'ada')).toMatchObject({
    outcome: 'undone',
    failed: [],
    pinned: entities.map(({ options }) => ({ object: `public.${options.name}` })),
  });
});

interface StayingCase {
  readonly entities: readonly EntitySchema[];
  /** What keeps something of the run from being undone. */
  readonly meanwhile: string;
  readonly reasons: readonly string[];
}

const STAYING: Record<string, StayingCase> = {
  'a type, for its column': {
    entities: [lift({ state })],
    meanwhile: `update lift set state = 'up'`,
    reasons: [
      'undoing it would lose 2 values, written since or filled in; approve that, or let it be',
      'public.lift.state is to be taken back before it, and stays open',
    ],
  },
  'a type, for a table with an array of it': {
    entities: [lift({}), table('door', { states: { ...state, array: true } })],
    meanwhile: 'insert into door values (1)',
    reasons: [
      'undoing it would lose 1 row, written since or filled in; approve that, or let it be',
      'public.door is to be taken back before it, and stays open',
    ],
  },
  'a table, for a table that points to it': {
    entities: [lift({}), table('a'), table('b', { a: to('a', 'b_a') })],
    meanwhile: 'insert into b values (1)',
    reasons: [
      'undoing it would lose 1 row, written since or filled in; approve that, or let it be',
      'public.b is to be taken back before it, and stays open',
    ],
  },
  'a unique key, for a table that points to it': {
    entities: [
      lift(
        { code: { ...TEXT, comment: 'x' } },
        { uniques: [{ name: 'lift_code', columns: ['id', 'code'] }] },
      ),
      table(
        'door',
        { a: { type: 'integer', nullable: true }, b: TEXT },
        {
          foreignKeys: [
            {
              name: 'door_lift',
              target: 'lift',
              columnNames: ['a', 'b'],
              referencedColumnNames: ['id', 'code'],
            },
          ],
        },
      ),
    ],
    meanwhile: 'insert into door values (1)',
    reasons: [
      'undoing it would lose 1 row, written since or filled in; approve that, or let it be',
      'public.door is to be taken back before it, and stays open',
    ],
  },
  'a unique index, for a table that points to it': {
    entities: [
      lift({ code: TEXT }, { indices: [{ name: 'lift_code', columns: ['code'], unique: true }] }),
      table(
        'door',
        { a: TEXT },
        { foreignKeys: [{ name: 'd', target: 'lift', columnNames: ['a'], referencedColumnNames: ['code'] }] },
      ),
    ],
    meanwhile: 'insert into door values (1)',
    reasons: [
      'undoing it would lose 1 row, written since or filled in; approve that, or let it be',
      'public.door is to be taken back before it, and stays open',
    ],
  },
  'a column, for a generated one that reads it': {
    entities: [
      lift({
        base: TEXT,
        read: { ...TEXT, generatedType: 'STORED', asExpression: `coalesce(base, 'x')` },
      }),
    ],
    meanwhile: 'select 1',
    reasons: [
      'undoing it would lose 2 values, written since or filled in; approve that, or let it be',
      'public.lift.read is to be taken back before it, and stays open',
    ],
  },
  'a schema, for a table in it': {
    entities: [lift({}), table('door', {}, { schema: 'house' })],
    meanwhile: 'insert into house.door values (1)',
    reasons: [
      'undoing it would lose 1 row, written since or filled in; approve that, or let it be',
      'house.door is to be taken back before it, and stays open',
    ],
  },
};

test('a table that PostgreSQL does not let go keeps its key, and what that points to', async () => {
  const database = await hotel();
  const [a, b] = [table('a', { b: to('b', 'a_b') }), table('b')];
  const migrator = await release(database, [lift({}), a, b]);
  const run = await healedRun(migrator);
  await database.query('create view by_hand as select * from a');
  expect(await migrator.rollback(run, 'ada')).toMatchObject({
    outcome: 'failed',
    failed: [{ object: 'public.a' }],
  });
  const { drift } = await migrator.check();
  expect(drift.filter(({ kind }) => kind === 'undo')).toMatchObject([
    { object: 'public.a' },
    { object: 'public.b', reason: 'public.a is to be taken back before it, and stays open' },
  ]);
});

test('a key and a table that points to it are undone at once', async () => {
  const database = await hotel('alter table lift add code text');
  const { entities } = STAYING['a unique key, for a table that points to it'] ?? { entities: [] };
  const migrator = await release(database, entities);
  const report = await migrator.rollback(await healedRun(migrator), 'ada');
  expect(report).toMatchObject({ outcome: 'undone', failed: [] });
});

describe('what PostgreSQL still needs waits, and goes once that is approved', () => {
  test.for(Object.entries(STAYING))('%s', async ([, { entities, meanwhile, reasons }]) => {
    const database = await hotel('alter table lift add code text');
    const migrator = await release(database, entities);
    const run = await healedRun(migrator);
    await database.query(meanwhile);
    const report = await migrator.rollback(run, 'ada');
    expect(report).toMatchObject({ failed: [] });
    expect(reasonsOf(report)).toEqual(reasons);
    const { drift } = await migrator.check();
    const [first] = drift.filter(({ kind }) => kind === 'undo');
    await migrator.approve([first?.id ?? ''], 'bob');
    const undone = await migrator.heal();
    expect(undone.failed).toEqual([]);
    expect(sqlOf(undone).length).toBeGreaterThan(1);
    expect((await migrator.check()).drift.filter(({ kind }) => kind === 'undo')).toEqual([]);
  });

  test('a table, for the key of a column that points to it', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ door: to('door', 'lift_door') }), table('door')]);
    const run = await healedRun(migrator);
    await database.query('insert into door values (1); update lift set door = 1');
    expect(await migrator.rollback(run, 'ada')).toMatchObject({ applied: [], failed: [] });
    const { drift } = await migrator.check();
    const costly = drift.filter(({ hazards }) => hazards.includes('data-loss'));
    await migrator.approve(
      costly.map(({ id }) => id),
      'bob',
    );
    expect(await migrator.heal()).toMatchObject({ failed: [] });
    expect(await migrator.heal()).toMatchObject({ failed: [] });
    expect(await database.query(`select to_regclass('door') as door`)).toEqual([{ door: null }]);
    expect((await migrator.check()).drift.filter(({ kind }) => kind === 'undo')).toEqual([]);
  });
});
