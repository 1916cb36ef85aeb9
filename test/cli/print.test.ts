import { expect, test } from 'vitest';
import { printPlan } from '../../src/cli/print.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { EntitySchema } from 'typeorm';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

test.each(['\n', '\r', '\r\n'])(
  'a name or text with %j in it runs nothing when the plan is run',
  async (end) => {
    const database = await createTestDatabase();
    const bad = `a${end}drop table kept;--`;
    await database.query(`create table kept (id int primary key);
    create table t (id int primary key, "${bad}" text default 'x${end}drop table kept; --');
    insert into t values (1, 'wider than that');`);
    const entity = new EntitySchema({
      name: 't',
      columns: {
        id: { type: 'int', primary: true },
        bad: { name: bad, type: 'varchar', length: 3, default: `x${end}drop table kept;` },
      },
    });
    const dataSource = await openDataSource(database.url, [entity]);
    const plan = await new AutoMigrator(dataSource, { execution: 'atomic' }).plan();
    expect(plan.drift.map(({ disposition }) => disposition)).toContain('open');
    await database.query(printPlan(plan));
    expect(await database.query(`select to_regclass('kept')::text as kept`)).toEqual([{ kept: 'kept' }]);
  },
);

test('the plan names each table that a statement locks', async () => {
  const database = await createTestDatabase();
  await database.query('create table stay (id int constraint "PK_stay" primary key)');
  const id = { id: { type: 'int', primary: true } } as const;
  const foreignKeys = [{ target: 'stay', columnNames: ['id'], referencedColumnNames: ['id'] }];
  const dataSource = await openDataSource(database.url, [
    new EntitySchema({ name: 'stay', columns: id }),
    new EntitySchema({ name: 'bill', columns: id, foreignKeys }),
  ]);
  expect(printPlan(await new AutoMigrator(dataSource).plan())).toContain(
    'add foreign key, as missing-table; lock SHARE ROW EXCLUSIVE, also of public.stay; would run',
  );
});
