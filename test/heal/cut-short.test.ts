import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { PlannedUnit } from '../../src/plan/plan.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { CUT_CASES, type CutCase } from './cut-cases.js';

interface Copy extends CutCase {
  readonly table: string;
  /** After so many units the run dies. */
  readonly units: number;
}

/** Each change in a table of its own for each unit that a run can die after. */
const copies = CUT_CASES.flatMap((each, number) =>
  Array.from({ length: each.units }, (_, units): Copy => {
    const table = `cut_${number}_${units}`;
    const named = JSON.parse(JSON.stringify(each).replaceAll('$table', table)) as CutCase;
    return { ...named, table, units };
  }),
);

describe('a run that dies between two units is finished by the next', () => {
  let database: TestDatabase;
  let migrator: AutoMigrator;
  let planned: PlannedUnit[];
  let report: HealReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(copies.map(({ legacy }) => legacy).join(';\n'));
    const entities = copies.map(
      ({ table: name, entity }) =>
        new EntitySchema({ ...entity, name } as EntitySchemaOptions<Record<string, unknown>>),
    );
    const dataSource = await openDataSource(database.url, entities);
    migrator = new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 });
    const { plan } = await migrator.plan();
    planned = [...(plan?.units ?? [])];
    for (const { table, units } of copies) await dieAfter(table, units);
    report = await migrator.heal();
  });

  const unitsOf = (table: string): PlannedUnit[] =>
    planned.filter(({ drift }) => drift.table === `public.${table}`);

  /** Unit by unit, as the healer does it. */
  async function dieAfter(table: string, units: number): Promise<void> {
    for (const { manner, steps } of unitsOf(table).slice(0, units)) {
      const sql = steps.map((step) => step.sql).join(';\n');
      await database.query(manner === 'alone' ? sql : `begin; ${sql}; commit`);
    }
  }

  test.each(CUT_CASES)('$title: $units units', ({ units, title }) => {
    const tables = copies.filter((copy) => copy.title === title).map(({ table }) => table);
    expect(tables.map((table) => unitsOf(table).length)).toEqual(tables.map(() => units));
  });

  test('the schema is the wanted one, and nothing of ours is left in it', async () => {
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    const left = await database.query(
      `select relname as name from pg_class where relname like 'auto\\_migration\\_%' and relnamespace = 'public'::regnamespace
       union all select conname from pg_constraint where conname like 'auto\\_migration\\_%' or not convalidated
       union all select indexrelid::regclass::text from pg_index where not indisvalid`,
    );
    expect(left).toEqual([]);
  });

  afterAll(() => database.drop());
});
