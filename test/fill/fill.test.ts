import { EntitySchema } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { FILL_CASES, type FillCase } from './fill-cases.js';

interface NumberedCase extends FillCase {
  readonly table: string;
}

const cases = FILL_CASES.map((each, number): NumberedCase => {
  const table = `case_${number}`;
  return { ...(JSON.parse(JSON.stringify(each).replaceAll('$table', table)) as FillCase), table };
});

function entityOf({ table, column, legacy }: NumberedCase): EntitySchema {
  const isKeyed = legacy.includes('primary key');
  const key = { primary: true, ...(isKeyed ? { primaryKeyConstraintName: `${table}_pkey` } : {}) };
  const noon = legacy.includes('Noon')
    ? { at: { type: 'timestamptz', name: 'At "Noon"', ...key } as const }
    : {};
  return new EntitySchema<Record<string, unknown>>({
    name: table,
    columns: {
      id: { type: 'integer', ...key },
      ...noon,
      name: { type: 'text', nullable: true },
      a: { type: 'text', nullable: true, ...column },
    },
  });
}

describe.each<Execution>(['online', 'atomic'])('what is declared is filled, execution %s', (execution) => {
  let database: TestDatabase;
  let migrator: AutoMigrator;
  let report: HealReport;

  const valuesOf = async (table: string): Promise<unknown[]> =>
    (await database.query(`select a from ${table} order by id`)).map(({ a }) => a);
  const versions = (): Promise<unknown[]> =>
    Promise.all(cases.map(({ table }) => database.query(`select xmin::text, id from ${table} order by id`)));

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const { legacy } of cases) await database.query(legacy);
    const backfills = cases.map(({ table, expression, options }) => ({
      table,
      column: 'a',
      expression,
      ...options,
    }));
    const dataSource = await openDataSource(database.url, cases.map(entityOf));
    migrator = new AutoMigrator(dataSource, { execution, backfills });
    report = await migrator.heal();
  });

  test('nothing fails, and nothing of it is left', async () => {
    expect(report).toMatchObject({ error: null, failed: [] });
    expect(report.open.filter(({ kind }) => kind !== 'missing-constraint')).toEqual([]);
    expect(await database.query(`select distinct state from auto_migration.fill`)).toEqual([
      { state: 'done' },
    ]);
  });

  test.each(cases)('$title', async ({ table, values, column }) => {
    expect(await valuesOf(table)).toEqual(values);
    const [found] = await database.query<{ required: boolean }>(
      `select attnotnull as required from pg_attribute where attrelid = $1::regclass and attname = 'a'`,
      [table],
    );
    expect(found?.required).toBe(column?.nullable === false);
  });

  test('a second run touches no row, also of those that the application has set to NULL since', async () => {
    await database.query(`update case_0 set a = null where id = 1`);
    const before = await versions();
    await migrator.heal();
    expect(await versions()).toEqual(before);
    expect((await migrator.check()).drift.filter(({ kind }) => kind === 'unfilled-column')).toEqual([]);
  });

  test('a column that was dropped comes back with its values', async () => {
    await database.query('alter table case_0 drop column a');
    expect(await migrator.heal()).toMatchObject({ failed: [] });
    expect(await valuesOf('case_0')).toEqual(['one', null, 'three']);
  });

  test('the first rows are given what the entity would give new ones', async () => {
    const [row] = await database.query(`insert into case_4 (id) values (9) returning a`);
    expect(row).toEqual({ a: 'new' });
  });
});
