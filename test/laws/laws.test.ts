import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
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

function initialize({ entities, options }: LawCase, url: string): Promise<DataSource> {
  return new DataSource({ ...options, type: 'postgres', url, entities: entities() }).initialize();
}

async function withDataSource<Value>(
  each: LawCase,
  task: (dataSource: DataSource, database: TestDatabase) => Promise<Value>,
): Promise<Value> {
  const database = await createTestDatabase();
  if (each.setup) await database.query(each.setup);
  const dataSource = await initialize(each, database.url);
  try {
    return await task(dataSource, database);
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
}

const wishesOfTypeOrm = async (dataSource: DataSource): Promise<string[]> =>
  (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

/** May log in and nothing else; what PUBLIC may, it may: make temporary tables. */
const reader = `reader_${randomBytes(6).toString('hex')}`;
const server = await createTestDatabase();
await server.query(`create role ${reader} login password 'secret'`);
afterAll(() => server.query(`drop role ${reader}`));

/** What a role sees that may create no schema: its shadow is in the temporary one, where some things are printed otherwise. */
async function checkAsReader(each: LawCase, database: TestDatabase): Promise<CheckReport> {
  await database.query(`grant select on all tables in schema public to ${reader}`);
  const url = new URL(database.url);
  url.username = reader;
  url.password = 'secret';
  const dataSource = await initialize(each, url.href);
  const report = await new AutoMigrator(dataSource).check();
  await dataSource.destroy();
  return report;
}

const NOT_COMPARED =
  /^The (materialized )?view .+ was not compared: the role needs CREATE on the database for that$/;

test.for(cases)(
  'no drift where TypeORM has made it, and the same where we have: $title',
  async (each, { skip }) => {
    skipWhereImpossible(each, skip);
    const expected = await withDataSource(each, async (dataSource, database) => {
      await dataSource.synchronize();
      const { verdict, drift, error } = await new AutoMigrator(dataSource).check();
      expect({ verdict, drift, error }).toEqual({ verdict: 'in-sync', drift: [], error: null });
      const made = {
        catalog: await catalogOf(database),
        notes: await notesOf(database),
        wishes: await wishesOfTypeOrm(dataSource),
      };
      const seen = await checkAsReader(each, database);
      expect(seen).toMatchObject({ verdict: 'in-sync', drift: [], error: null });
      const ofViews = dataSource.entityMetadatas.filter(({ tableType }) => tableType === 'view');
      expect(seen.warnings).toEqual(ofViews.map(() => expect.stringMatching(NOT_COMPARED) as string));
      return made;
    });
    await withDataSource(each, async (dataSource, database) => {
      const report = await new AutoMigrator(dataSource, { execution: 'online' }).heal();
      expect(report).toMatchObject({ open: [], failed: [], error: null });
      expect(await catalogOf(database)).toEqual(expected.catalog);
      expect(await notesOf(database)).toEqual(expected.notes);
      const wishes = await wishesOfTypeOrm(dataSource);
      expect(wishes).toEqual(each.typeormNeverRests ? expected.wishes : []);
    });
  },
);
