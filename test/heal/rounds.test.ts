import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' } as const;
const room = (
  columns: EntitySchemaOptions<unknown>['columns'] = {},
  rest: Partial<EntitySchemaOptions<unknown>> = {},
): EntitySchema => new EntitySchema({ name: 'room', columns: { id, ...columns }, ...rest });

const ROOM = 'create table room (id integer constraint room_pkey primary key)';

interface RoundsCase {
  readonly title: string;
  readonly sql: string;
  readonly entities: readonly EntitySchema[];
  readonly options?: AutoMigratorOptions;
  /** What the look before does not know of yet. */
  readonly last: string;
}

/** What only the changes of a run make possible or visible is done by the same run. */
const cases: RoundsCase[] = [
  {
    title: 'a sequence that is behind in a renamed table',
    sql: `create table zimmer (id serial constraint room_pkey primary key); insert into zimmer values (7)`,
    entities: [room({ id: { ...id, generated: 'increment' } })],
    options: { renamedFrom: { tables: { room: ['zimmer'] } } },
    last: 'public.room.id',
  },
  {
    title: 'a check that rows violate until they are filled',
    sql: `create table room (id integer constraint room_pkey primary key, bed text); insert into room values (1, null)`,
    entities: [
      room(
        { bed: { type: 'text', nullable: true } },
        { checks: [{ name: 'made', expression: 'bed is not null' }] },
      ),
    ],
    options: { backfills: [{ table: 'room', column: 'bed', expression: `'single'` }] },
    last: 'public.room.made',
  },
  {
    title: 'extra views on one another',
    sql: `${ROOM}; create view a as select id from room; create view b as select id from a;
      create materialized view c as select id from b`,
    entities: [room()],
    last: 'public.a',
  },
  {
    title: 'an extra table that points to another one',
    sql: `${ROOM}; create table x (id integer primary key); create table y (id integer references x)`,
    entities: [room()],
    last: 'public.x',
  },
  {
    title: 'an extra column that another one is generated from',
    sql: `create table room (id integer constraint room_pkey primary key, a integer, b integer generated always as (a + 1) stored)`,
    entities: [room()],
    last: 'public.room.a',
  },
];

test.each(
  cases.flatMap((each) => (['online', 'atomic'] as const).map((execution) => ({ ...each, execution }))),
)('$title, $execution', async ({ sql, entities, options, last, execution }) => {
  const database = await createTestDatabase();
  await database.query(sql);
  const dataSource = await openDataSource(database.url, [...entities]);
  const migrator = new AutoMigrator(dataSource, { ...options, execution });
  const extra = (await migrator.check()).drift.filter(({ disposition }) => disposition === 'extra');
  await migrator.approve(
    extra.map((each) => each.id),
    'ada',
  );
  const report = await migrator.heal();
  expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  expect(report.applied.at(-1)?.object).toBe(last);
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
  expect(await database.query('select count(*)::integer as runs from auto_migration.run')).toEqual([
    { runs: 1 },
  ]);
});
