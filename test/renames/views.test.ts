import { Column, Entity, Index, PrimaryColumn, ViewColumn, ViewEntity } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { RenamedFrom } from '../../src/desired/renamed-from.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

@Entity('staff')
@RenamedFrom('employee')
class Staff {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'staff_pkey' })
  id!: number;

  @Column('text', { nullable: true })
  @RenamedFrom('vorname')
  name!: string;
}

@ViewEntity('board', { materialized: true, expression: 'select id, name from staff' })
class Board {
  @ViewColumn()
  id!: number;

  @Index('board_name', { unique: true })
  @ViewColumn()
  name!: string;
}

@ViewEntity('names', { expression: 'select name from board', dependsOn: [Board] })
class Names {
  @ViewColumn()
  name!: string;
}

const TABLE = `create table employee (id integer constraint staff_pkey primary key, vorname text);
  insert into employee values (1, 'ada')`;

interface ViewCase {
  readonly title: string;
  readonly sql: string;
}

/** PostgreSQL writes them anew with the rename; only then can they be compared. */
const cases: ViewCase[] = [
  {
    title: 'a materialized view and its index, and a view on it',
    sql: `create materialized view board as select id, vorname from employee;
      create unique index board_name on board (vorname); create view names as select vorname from board`,
  },
  {
    title: 'a materialized view whose columns have their names already, and whose index is missing',
    sql: `create materialized view board as select id, vorname as name from employee;
      create view names as select name from board`,
  },
  {
    title: 'a materialized view whose index is missing, and so is the view on it',
    sql: 'create materialized view board as select id, vorname from employee',
  },
];

test.each(
  cases.flatMap((each) => (['online', 'atomic'] as const).map((execution) => ({ ...each, execution }))),
)('$title, $execution', async ({ sql, execution }) => {
  const database = await createTestDatabase();
  await database.query(`${TABLE}; ${sql}`);
  const dataSource = await openDataSource(database.url, [Staff, Board, Names]);
  const migrator = new AutoMigrator(dataSource, { execution });
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
  expect(await database.query('select name from names')).toEqual([{ name: 'ada' }]);
  expect(await database.query(`select indexdef from pg_indexes where tablename = 'board'`)).toEqual([
    { indexdef: 'CREATE UNIQUE INDEX board_name ON public.board USING btree (name)' },
  ]);
});
