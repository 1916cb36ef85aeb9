import { DataSource } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { catalogOf, notesOf } from './catalog.js';
import { columns } from './cases/columns.js';
import { keys } from './cases/keys.js';
import { relations } from './cases/relations.js';
import { names } from './cases/names.js';
import { views } from './cases/views.js';
import type { LawCase } from './law-case.js';
import { skipWhereImpossible } from './possible.js';

const cases: LawCase[] = [...columns, ...keys, ...relations, ...names, ...views];

async function withDataSource<Value>(
  { entities, options, setup }: LawCase,
  task: (dataSource: DataSource, database: TestDatabase) => Promise<Value>,
): Promise<Value> {
  const database = await createTestDatabase();
  if (setup) await database.query(setup);
  const dataSource = new DataSource({
    ...options,
    type: 'postgres',
    url: database.url,
    entities: entities(),
  });
  await dataSource.initialize();
  try {
    return await task(dataSource, database);
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
}

const wishesOfTypeOrm = async (dataSource: DataSource): Promise<string[]> =>
  (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

describe("after TypeORM's synchronize a check reports nothing", () => {
  test.for(cases)('$title', async (each, { skip }) => {
    skipWhereImpossible(each, skip);
    await withDataSource(each, async (dataSource) => {
      await dataSource.synchronize();
      const { verdict, drift, error } = await new AutoMigrator(dataSource).check();
      expect({ verdict, drift, error }).toEqual({ verdict: 'in-sync', drift: [], error: null });
    });
  });
});

describe('after a heal of an empty database there is what synchronize would have made', () => {
  test.for(cases)('$title', async (each, { skip }) => {
    skipWhereImpossible(each, skip);
    const expected = await withDataSource(each, async (dataSource, database) => {
      await dataSource.synchronize();
      return {
        catalog: await catalogOf(database),
        notes: await notesOf(database),
        wishes: await wishesOfTypeOrm(dataSource),
      };
    });
    await withDataSource(each, async (dataSource, database) => {
      const report = await new AutoMigrator(dataSource, { execution: 'online' }).heal();
      expect(report).toMatchObject({ open: [], failed: [], error: null });
      expect(await catalogOf(database)).toEqual(expected.catalog);
      expect(await notesOf(database)).toEqual(expected.notes);
      const wishes = await wishesOfTypeOrm(dataSource);
      expect(wishes).toEqual(each.typeormNeverRests ? expected.wishes : []);
    });
  });
});
