import {
  Entity,
  EntitySchema,
  PrimaryGeneratedColumn,
  type EntitySchemaColumnOptions,
  type EntitySchemaOptions,
} from 'typeorm';
import { expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createEmptiedDatabase } from '../setup/emptied-database.js';
import { inBothExecutions } from '../setup/executions.js';

interface WaitingCase {
  readonly title: string;
  readonly before: readonly (EntitySchema | (new () => object))[];
  readonly after: readonly (EntitySchema | (new () => object))[];
  readonly rows?: string;
  readonly backfills?: AutoMigratorOptions['backfills'];
  /** What stays open, and part of the reason. All else has to be healed. */
  readonly open: Readonly<Record<string, RegExp>>;
}

const id = { type: 'integer', primary: true } as const;

const UPPER = { type: 'text', nullable: true, generatedType: 'STORED', asExpression: 'upper(a)' } as const;

function room(
  columns: Record<string, EntitySchemaColumnOptions>,
  rest: Partial<EntitySchemaOptions<unknown>> = {},
): EntitySchema {
  return new EntitySchema({ name: 'room', columns: { id, ...columns }, ...rest });
}

const view = (expression: string, names: string[], name = 'shown'): EntitySchema =>
  new EntitySchema({
    name,
    type: 'view',
    expression,
    columns: Object.fromEntries(names.map((column) => [column, { type: 'text' }])),
  });

const guest = (
  columns: Record<string, EntitySchemaColumnOptions>,
  target: string,
  column: string,
): EntitySchema =>
  new EntitySchema({
    name: 'guest',
    columns: { id, ...columns },
    foreignKeys: [{ name: 'stays', target, columnNames: ['room'], referencedColumnNames: [column] }],
  });

const state = (values: string[], value: string): EntitySchema =>
  room({ state: { type: 'enum', enum: values, enumName: 'state', default: value } });

const keyed = (type: 'integer' | 'uuid'): EntitySchema =>
  new EntitySchema({ name: 'room', columns: { id: { type, primary: true } } });

/** An EntitySchema cannot ask for one. */
function identity(type: 'integer' | 'bigint'): new () => object {
  @Entity('room')
  class Room {
    @PrimaryGeneratedColumn('identity', { type }) id!: number;
  }
  return Room;
}

const cases: WaitingCase[] = [
  {
    title: "a default waits for its column's type",
    before: [room({ a: { type: 'timestamp', default: () => 'now()' } })],
    after: [room({ a: { type: 'numeric', default: 5 } })],
    open: {
      'different-type public.room.a': /not widened/,
      'different-default public.room.a': /builds on the type .*, which stays open/,
    },
  },
  {
    title: 'a default that is to go does not wait',
    before: [room({ a: { type: 'uuid', default: () => 'gen_random_uuid()' } })],
    after: [room({ a: { type: 'numeric' } })],
    open: { 'different-type public.room.a': /not widened/ },
  },
  {
    title: 'a constant is the same default of either type',
    before: [room({ a: { type: 'text', default: 'x' } })],
    after: [room({ a: { type: 'varchar', length: 10, default: 'x' } })],
    open: { 'different-type public.room.a': /its values fit/ },
  },
  {
    title: "a widened column's default is of the wider type",
    before: [
      room({ a: { type: 'varchar', length: 10, default: 'x' }, b: { type: 'varchar', default: 'x' } }),
    ],
    after: [room({ a: { type: 'text', default: 'x' }, b: { type: 'text', default: 'y' } })],
    open: {},
  },
  {
    title: 'a widened column keeps its collation',
    before: [room({ a: { type: 'varchar', length: 10, collation: 'C' } })],
    after: [room({ a: { type: 'text', collation: 'C' } })],
    open: {},
  },
  {
    title: 'a default waits for a value of its enum, another does not',
    before: [state(['new', 'paid'], 'new')],
    after: [state(['paid', 'sent'], 'sent')],
    open: {
      'different-enum public.state': /taken away/,
      'different-default public.room.state': /builds on public.state/,
    },
  },
  {
    title: 'a value that is there does not wait for those that stay',
    before: [state(['new', 'paid'], 'new')],
    after: [state(['paid'], 'paid')],
    open: { 'different-enum public.state': /taken away/ },
  },
  {
    title: 'checks, indexes and generated columns wait for the type of their column',
    before: [room({ a: { type: 'text' } })],
    after: [
      room(
        {
          a: { type: 'integer' },
          twice: { type: 'integer', nullable: true, generatedType: 'STORED', asExpression: 'a * 2' },
        },
        {
          checks: [{ name: 'positive', expression: 'a > 0' }],
          indices: [{ name: 'large', columns: ['id'], where: 'a > 5' }],
        },
      ),
    ],
    open: {
      'different-type public.room.a': /not widened/,
      'missing-constraint public.room.positive': /builds on public.room.a/,
      'missing-index public.large': /builds on public.room.a/,
      'missing-column public.room.twice': /builds on public.room.a/,
      'missing-note public.room.twice': /builds on public.room.twice/,
    },
  },
  {
    title: 'a wider type that no identity can have waits until it is none',
    before: [identity('bigint')],
    after: [new EntitySchema({ name: 'room', columns: { id: { type: 'numeric', primary: true } } })],
    open: {
      'different-generation public.room.id': /is not changed on a column that has values/,
      'different-type public.room.id':
        /^it is an identity, which is a smallint, an integer or a bigint; .*alter table "public"\."room" alter "id" drop identity/,
    },
  },
  {
    title: 'an identity becomes wider',
    before: [identity('integer')],
    after: [identity('bigint')],
    open: {},
  },
  {
    title: 'a foreign key waits for the key that it points to, its new table does not',
    before: [keyed('integer')],
    after: [keyed('uuid'), guest({ room: { type: 'uuid' } }, 'room', 'id')],
    open: {
      'different-type public.room.id': /not widened/,
      'missing-constraint public.guest.stays': /builds on public.room.id/,
    },
  },
  {
    title: 'a foreign key waits for a unique that rows violate',
    before: [
      room({ a: { type: 'integer' } }),
      new EntitySchema({ name: 'guest', columns: { id, room: { type: 'integer' } } }),
    ],
    after: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    rows: 'insert into room values (1, 1), (2, 1)',
    open: {
      'missing-constraint public.room.one': /more than once/,
      'missing-constraint public.guest.stays': /builds on public.room.one/,
    },
  },
  {
    title: 'a unique that a foreign key holds on to is not replaced',
    before: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    after: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a', 'id'] }] }),
      new EntitySchema({ name: 'guest', columns: { id, room: { type: 'integer' } } }),
    ],
    open: { 'different-constraint public.room.one': /public.guest.stays points to it/ },
  },
  {
    title: 'a unique index that a foreign key holds on to is not replaced',
    before: [
      room({ a: { type: 'integer' } }, { indices: [{ name: 'one', columns: ['a'], unique: true }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    after: [
      room({ a: { type: 'integer' } }, { indices: [{ name: 'one', columns: ['a', 'id'], unique: true }] }),
      new EntitySchema({ name: 'guest', columns: { id, room: { type: 'integer' } } }),
    ],
    open: { 'different-index public.one': /foreign keys hold on to the old one/ },
  },
  {
    title: 'a column that a view uses is widened with it',
    before: [room({ a: { type: 'varchar', length: 10 } }), view('select a from room', ['a'])],
    after: [room({ a: { type: 'varchar', length: 20 } }), view('select a from room', ['a'])],
    open: {},
  },
  {
    title: 'a column that a new generated one reads is widened first',
    before: [room({ a: { type: 'varchar', length: 10 } })],
    after: [
      room({
        a: { type: 'varchar', length: 20 },
        b: UPPER,
      }),
    ],
    open: {},
  },
  {
    title: 'a column that a generated one reads is not widened',
    before: [room({ a: { type: 'varchar', length: 10 }, b: UPPER })],
    after: [room({ a: { type: 'varchar', length: 20 }, b: UPPER })],
    open: {
      'different-type public.room.a': /column b of table public.room depends on it, and PostgreSQL refuses/,
    },
  },
  {
    title: 'a foreign key has nothing to compare a numeric with an integer by',
    before: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    after: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      new EntitySchema({ name: 'guest', columns: { id, room: { type: 'numeric' } } }),
    ],
    open: { 'different-type public.guest.room': /stays \(to public.room.a, integer\)/ },
  },
  {
    title: 'a key that is pointed to may be wider than what points to it',
    before: [
      room({ a: { type: 'integer' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    after: [
      room({ a: { type: 'numeric' } }, { uniques: [{ name: 'one', columns: ['a'] }] }),
      guest({ room: { type: 'integer' } }, 'room', 'a'),
    ],
    open: {},
  },
  {
    title: "a check, foreign key and unique are violated by a new column's default",
    before: [room({}), new EntitySchema({ name: 'guest', columns: { id } })],
    after: [
      room(
        { a: { type: 'integer', default: 0 }, b: { type: 'integer', default: 7 } },
        { checks: [{ name: 'positive', expression: 'a > 0' }], uniques: [{ name: 'one', columns: ['b'] }] },
      ),
      guest({ room: { type: 'integer', default: 9 } }, 'room', 'id'),
    ],
    rows: 'insert into room values (1), (2); insert into guest values (1)',
    open: {
      'missing-constraint public.room.positive': /violated by 2 rows/,
      'missing-constraint public.room.one': /1 value occurs more than once, in 2 rows: 7/,
      'missing-constraint public.guest.stays': /violated by 1 row with nothing to point to/,
    },
  },
  {
    title: 'a check is violated by what fills a new column, where it does',
    before: [room({ b: { type: 'integer' } })],
    after: [
      room(
        { b: { type: 'integer' }, a: { type: 'integer', nullable: true } },
        { checks: [{ name: 'positive', expression: 'a > 0' }] },
      ),
    ],
    rows: 'insert into room values (1, 0), (2, 5), (3, -7)',
    backfills: [{ table: 'room', column: 'a', expression: 'b', where: 'b >= 0' }],
    open: { 'missing-constraint public.room.positive': /violated by 1 row;/ },
  },
  {
    title: 'a default violates nothing where there are no rows, or it is NULL',
    before: [room({}), new EntitySchema({ name: 'guest', columns: { id } })],
    after: [
      room(
        { a: { type: 'integer', nullable: true }, b: { type: 'integer', default: 7 } },
        { checks: [{ name: 'positive', expression: 'a > 0' }], uniques: [{ name: 'one', columns: ['b'] }] },
      ),
      guest({ room: { type: 'integer', default: 9 } }, 'room', 'id'),
    ],
    rows: 'insert into room values (1)',
    open: {},
  },
  {
    title: 'a view whose columns change is made anew, one that gets more is replaced',
    before: [
      room({ a: { type: 'text' }, b: { type: 'text' } }),
      view('select a from room', ['a']),
      view('select a from room', ['a'], 'longer'),
    ],
    after: [
      room({ a: { type: 'text' }, b: { type: 'text' } }),
      view('select b from room', ['b']),
      view('select a, b from room', ['a', 'b'], 'longer'),
    ],
    open: {},
  },
];

const database = await createEmptiedDatabase();

test.for(inBothExecutions(cases))(
  '$title, $execution',
  async ({ before, after, rows, backfills = [], open, execution }) => {
    const old = await openDataSource(database.url, [...before]);
    await old.synchronize();
    await old.destroy();
    if (rows !== undefined) await database.query(rows);
    const dataSource = await openDataSource(database.url, [...after]);
    const migrator = new AutoMigrator(dataSource, { execution, backfills });
    const declared = (await migrator.check()).drift.filter(({ disposition }) => disposition === 'open');
    expect(declared.map(({ kind, object }) => `${kind} ${object}`).toSorted()).toEqual(
      Object.keys(open).toSorted(),
    );
    for (const { kind, object, reason } of declared)
      expect(reason).toMatch(open[`${kind} ${object}`] ?? /^$/);
    const report = await migrator.heal();
    expect(report).toMatchObject({ failed: [], error: null });
    expect(report.open.map(({ kind, object }) => `${kind} ${object}`).toSorted()).toEqual(
      Object.keys(open).toSorted(),
    );
    expect(await migrator.heal()).toMatchObject({ applied: [], failed: [], open: report.open });
    await dataSource.destroy();
  },
);
