import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Drift } from '../../src/plan/plan.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' } as const;
const room = new EntitySchema({ name: 'room', columns: { id } });
const coded = new EntitySchema({ name: 'room', columns: { id, code: { type: 'text' } } });
const door = new EntitySchema({
  name: 'door',
  columns: {
    id: { ...id, primaryKeyConstraintName: 'door_pkey' },
    code: { type: 'text', nullable: true },
  },
});

interface OrderCase {
  readonly title: string;
  readonly sql: string;
  readonly entities: readonly EntitySchema[];
  /** Of what is applied, in order, but for what the keys of a table need besides. */
  readonly actions: readonly string[];
}

const KEYED = `create table room (id integer not null, code text not null, constraint room_pkey primary key (code));
  create table door (id integer constraint door_pkey primary key, code text constraint door_room references room (code));
  insert into room values (1, 'a'); insert into door values (1, 'a')`;

/** What somebody approves together is done in one run: what builds on something goes before it. */
const cases: OrderCase[] = [
  {
    title: 'a column with a constraint and an index on it',
    sql: `create table room (id integer constraint room_pkey primary key, a integer, b integer, constraint ab unique (a, b), check (a > 0));
      create index abi on room (a, b); insert into room values (1, 1, 1)`,
    entities: [room],
    actions: ['drop constraint', 'drop constraint', 'drop index', 'drop column', 'drop column'],
  },
  {
    title: 'the same of a partitioned table',
    sql: `create table room (id integer constraint room_pkey primary key, a text constraint ac check (a <> '')) partition by range (id);
      create table room1 partition of room for values from (0) to (9); create index ai on room (a); create unique index au on room (id, a)`,
    entities: [room],
    actions: ['drop constraint', 'drop index', 'drop index', 'drop column'],
  },
  {
    title: 'a column with a key and a foreign key to it',
    sql: `create table room (id integer constraint room_pkey primary key, a text constraint a unique);
      create table door (id integer constraint door_pkey primary key, code text constraint points references room (a))`,
    entities: [room, door],
    actions: ['drop constraint', 'drop constraint', 'drop column'],
  },
  {
    title: 'a primary key and a foreign key to it',
    sql: KEYED,
    entities: [coded, door],
    actions: ['drop constraint', 'drop constraint', 'add primary key'],
  },
];

async function approving(
  { sql, entities }: Pick<OrderCase, 'sql' | 'entities'>,
  execution: 'online' | 'atomic',
  isMeant: (drift: Drift) => boolean = () => true,
): Promise<AutoMigrator> {
  const database = await createTestDatabase();
  await database.query(sql);
  const migrator = new AutoMigrator(await openDataSource(database.url, [...entities]), { execution });
  const { drift } = await migrator.check();
  const { refused } = await migrator.approve(
    drift.filter(isMeant).map((each) => each.id),
    'ada',
  );
  expect(refused).toEqual([]);
  return migrator;
}

const both = ['online', 'atomic'] as const;

test.each(cases.flatMap((each) => both.map((execution) => ({ ...each, execution }))))(
  '$title, $execution',
  async ({ execution, actions, ...each }) => {
    const migrator = await approving(each, execution);
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(report.applied.map(({ action }) => action)).toEqual(actions);
    expect((await migrator.check()).drift).toEqual([]);
  },
);

test.each(both)(
  'a primary key waits for a foreign key that nobody has approved to go, %s',
  async (execution) => {
    const migrator = await approving(
      { sql: KEYED, entities: [coded, door] },
      execution,
      ({ kind }) => kind === 'different-constraint',
    );
    expect(await migrator.heal()).toMatchObject({
      outcome: 'nothing-to-do',
      open: [
        {
          kind: 'different-constraint',
          hazards: ['waits'],
          reason: 'constraint door_room on table public.door depends on it; drop that first',
        },
      ],
    });
  },
);
