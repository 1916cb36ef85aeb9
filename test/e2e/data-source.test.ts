import { TypeOrmModule } from '@nestjs/typeorm';
import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import type { AutoMigrationModuleOptions } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { startApplication } from './application.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'varchar', nullable: true } },
});
const entities = [Room];

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key); insert into room values (1)');
});

/** What has already happened when the module comes to look. */
const rivals: [options: object, named: string[]][] = [
  [{ synchronize: true }, ['synchronize']],
  [{ dropSchema: true }, ['dropSchema']],
  [{ migrationsRun: true, migrations: [] }, ['migrationsRun']],
  [{ synchronize: true, dropSchema: true }, ['synchronize', 'dropSchema']],
];
const rivalry = 'The data source changes the schema by itself; switch that off';

test.each(rivals)('a data source with %j is warned about', async (typeorm, options) => {
  const application = await startApplication({ database, entities, typeorm });
  const warnings = application.log.own.filter(({ message }) => message === rivalry);
  expect(warnings).toMatchObject([{ level: 'warn', params: { options } }]);
});

test('ticks do not repeat the warning', async () => {
  const migration: AutoMigrationModuleOptions = { cron: '* * * * * *', jitterMs: 0 };
  const application = await startApplication({
    database,
    entities,
    typeorm: { synchronize: true },
    migration,
  });
  const { lastCheckAt } = application.migrations.status();
  await vi.waitFor(() => expect(application.migrations.status().lastCheckAt).not.toBe(lastCheckAt), 10_000);
  expect(application.log.own.filter(({ message }) => message === rivalry)).toHaveLength(1);
});

test('a data source that leaves the schema alone is not warned about', async () => {
  const off = { synchronize: false, dropSchema: false, migrationsRun: false };
  const application = await startApplication({ database, entities, typeorm: off });
  expect(application.log.find(rivalry)).toBeUndefined();
});

const unusable: [
  title: string,
  imports: () => Parameters<typeof startApplication>[0]['imports'],
  words: string,
][] = [
  ['no data source at all', () => [], 'Cannot find the default data source of the application'],
  [
    'only one of another name',
    () => [TypeOrmModule.forRoot({ name: 'other', type: 'postgres', url: database.url, entities })],
    'Cannot find the default data source of the application',
  ],
  [
    'one that is not PostgreSQL',
    () => [
      TypeOrmModule.forRoot({
        type: 'cockroachdb',
        url: database.url,
        entities,
        manualInitialization: true,
        timeTravelQueries: false,
      }),
    ],
    'The data source is of type "cockroachdb"; only "postgres" can be migrated',
  ],
  [
    'one that is not initialised',
    () => [
      TypeOrmModule.forRoot({ type: 'postgres', url: database.url, entities, manualInitialization: true }),
    ],
    'The data source is not initialised',
  ],
];

test.each(unusable)('%s: one clear error, and the application starts', async (_title, imports, words) => {
  const application = await startApplication({ imports: imports() });
  expect((await application.get()).body).toMatchObject({
    status: 'degraded',
    info: { schema: { reason: 'failed' } },
  });
  expect(application.log.own).toMatchObject([
    {
      level: 'error',
      message: 'Could not look or heal',
      params: { error: expect.stringContaining(words) as string },
    },
  ]);
});
