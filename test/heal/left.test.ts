import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'stay_pkey' } as const;

async function stays(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query(`create table stay (id integer constraint stay_pkey primary key, nights integer);
    insert into stay values (1, null)`);
  return database;
}

async function migratorOf(
  database: TestDatabase,
  columns: EntitySchema['options']['columns'],
  options: AutoMigratorOptions = {},
): Promise<AutoMigrator> {
  const stay = new EntitySchema({ name: 'stay', columns: { ...columns, id } });
  return new AutoMigrator(await openDataSource(database.url, [stay]), { execution: 'online', ...options });
}

test('what was healed before somebody stopped the run is not told as left', async () => {
  const database = await stays();
  const text = { type: 'text', nullable: true } as const;
  const migrator = await migratorOf(database, {
    nights: { type: 'integer', nullable: true },
    a: text,
    b: text,
  });
  const stopping = new AbortController();
  const seen: string[] = [];
  const report = await migrator.heal({
    signal: stopping.signal,
    onApplied: ({ object }) => {
      if (seen.push(object) === 2) stopping.abort();
    },
  });
  expect(report.applied.map(({ object }) => object)).toEqual(['public.stay.a', 'public.stay.b']);
  expect(report.open).toEqual([]);
});

test('what a data fix has made possible is left to the next run, and says so', async () => {
  const database = await stays();
  const migrator = await migratorOf(
    database,
    { nights: { type: 'integer' } },
    { dataFixes: [{ id: 'nights', run: (manager) => manager.query('update stay set nights = 1') }] },
  );
  expect((await migrator.heal()).open).toMatchObject([
    { object: 'public.stay.nights', reason: 'it can be healed by now; the next run does' },
  ]);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
});
