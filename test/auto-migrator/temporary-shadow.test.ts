import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { columns } from '../laws/cases/columns.js';
import { keys } from '../laws/cases/keys.js';
import { names } from '../laws/cases/names.js';
import { relations } from '../laws/cases/relations.js';
import { views } from '../laws/cases/views.js';
import type { LawCase } from '../laws/law-case.js';
import { skipWhereImpossible } from '../laws/possible.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** May log in and nothing else; what PUBLIC may, it may: make temporary tables. */
const role = `reader_${randomBytes(6).toString('hex')}`;
let server: TestDatabase;

beforeAll(async () => {
  server = await createTestDatabase();
  await server.query(`create role ${role} login password 'secret'`);
});

afterAll(() => server.query(`drop role ${role}`));

async function withDataSource<Value>(
  url: string,
  { entities, options }: LawCase,
  task: (dataSource: DataSource) => Promise<Value>,
): Promise<Value> {
  const dataSource = new DataSource({ ...options, type: 'postgres', url, entities: entities() });
  await dataSource.initialize();
  try {
    return await task(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

// The temporary schema prints some things differently from any other; nothing of it may come out as drift.
test.for<LawCase>([...columns, ...keys, ...relations, ...names, ...views])(
  'a role that may create no schema finds in sync what TypeORM made: $title',
  async (each, { skip }) => {
    skipWhereImpossible(each, skip);
    const database = await createTestDatabase();
    if (each.setup) await database.query(each.setup);
    const viewsOf = await withDataSource(database.url, each, async (dataSource) => {
      await dataSource.synchronize();
      return dataSource.entityMetadatas.filter(({ tableType }) => tableType === 'view').length;
    });
    await database.query(`grant select on all tables in schema public to ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    const report = await withDataSource(url.href, each, (dataSource) => new AutoMigrator(dataSource).check());
    const { verdict, drift, error, warnings } = report;
    expect({ verdict, drift, error }).toEqual({ verdict: 'in-sync', drift: [], error: null });
    expect(warnings).toHaveLength(viewsOf);
    for (const warning of warnings) {
      expect(warning).toMatch(
        /^The (materialized )?view .+ was not compared: the role needs CREATE on the database for that$/,
      );
    }
    await database.drop();
  },
);
