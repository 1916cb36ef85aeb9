import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createEmptiedDatabase } from '../setup/emptied-database.js';
import { inBothExecutions } from '../setup/executions.js';

const ROOM = new EntitySchema({
  name: 'room',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'room_key' },
    label: { type: 'text', nullable: true },
    floor: { type: 'integer', nullable: true },
  },
  uniques: [{ name: 'room_label', columns: ['label'] }],
  indices: [{ name: 'room_floor', columns: ['floor'] }],
});

interface TakenName {
  readonly title: string;
  readonly drift: string;
  readonly finding: string;
  readonly reason: string;
  /** What somebody does about it then. */
  readonly mend: string;
}

const cases: TakenName[] = [
  {
    title: 'the key of a new table, by that of one put aside',
    drift: `alter table room rename to room_old; alter index room_label rename to old_label; alter index room_floor rename to old_floor`,
    finding: 'missing-table public.room',
    reason: 'the name room_key is that of an index of public.room_old; rename or drop that',
    mend: 'alter index room_key rename to old_key',
  },
  {
    title: 'the index of a new table',
    drift: `drop table room; create table attic (a integer); create index room_floor on attic (a)`,
    finding: 'missing-table public.room',
    reason: 'the name room_floor is that of an index of public.attic; rename or drop that',
    mend: 'drop table attic',
  },
  {
    title: 'an index',
    drift: `drop index room_floor; create sequence room_floor`,
    finding: 'missing-index public.room_floor',
    reason: 'the name room_floor is that of a sequence; rename or drop that',
    mend: 'drop sequence room_floor',
  },
  {
    title: 'an index, by a type',
    drift: `drop index room_floor; create type room_floor as (a integer)`,
    finding: 'missing-index public.room_floor',
    reason: 'the name room_floor is that of a type; rename or drop that',
    mend: 'drop type room_floor',
  },
  {
    title: 'a unique constraint',
    drift: `alter table room drop constraint room_label; create view room_label as select 1 as one`,
    finding: 'missing-constraint public.room.room_label',
    reason: 'the name room_label is that of a view; rename or drop that',
    mend: 'drop view room_label',
  },
  {
    title: 'a primary key',
    drift: `alter table room drop constraint room_key; create table room_key (a integer)`,
    finding: 'missing-constraint public.room.room_key',
    reason: 'the name room_key is that of a table; rename or drop that',
    mend: 'drop table room_key',
  },
];

const database = await createEmptiedDatabase();

test.for(inBothExecutions(cases))(
  'a name is taken of $title: open until it is free, $execution',
  async (one) => {
    const dataSource = await openDataSource(database.url, [ROOM]);
    await dataSource.synchronize();
    await database.query(one.drift);
    const migrator = new AutoMigrator(dataSource, { execution: one.execution });
    const report = await migrator.heal();
    expect(report).toMatchObject({ failed: [], error: null });
    const open = report.open.map(({ kind, object, reason }) => [`${kind} ${object}`, reason]);
    expect(open).toEqual([[one.finding, one.reason]]);
    await database.query(one.mend);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  },
);
