import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { ConnectionError, DataSourceError, InvalidOptionError } from '../../src/errors.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

/** Every character that a URL gives a meaning to. */
const PASSWORD = `p@ss:w/rd?#%&+= ü"'$`;
const SPELLINGS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  encodeURI(PASSWORD),
  JSON.stringify(PASSWORD).slice(1, -1),
];

const role = `guest_${randomBytes(6).toString('hex')}`;
const thing = new EntitySchema({ name: 'thing', columns: { id: { type: 'integer', primary: true } } });

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`create role ${role} login password '${PASSWORD.replaceAll("'", "''")}'`);
});

afterAll(async () => {
  await database.drop();
  await (await createTestDatabase()).query(`drop role ${role}`);
});

function urlOf(password: string): string {
  const url = new URL(database.url);
  url.username = role;
  url.password = encodeURIComponent(password);
  return url.href;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** What an application that has started may find later: its pool is fine, and new sessions are not to be had. */
const AWAY: { title: string; change: (url: URL) => Promise<void> | void; message: RegExp }[] = [
  {
    title: 'the server refuses connections',
    change: async (url) => {
      url.port = String(await closedPort());
    },
    message:
      /^Cannot connect to PostgreSQL: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Nothing was compared or changed\.$/,
  },
  {
    title: 'nobody knows the host',
    change: (url) => {
      url.hostname = 'nowhere.invalid';
    },
    message:
      /^Cannot connect to PostgreSQL: getaddrinfo \w+ nowhere\.invalid\. Nothing was compared or changed\.$/,
  },
  {
    title: 'the password is wrong',
    change: (url) => {
      url.password = encodeURIComponent(`${PASSWORD} not`);
    },
    message:
      /^Cannot connect to PostgreSQL: password authentication failed for user "guest_\w+"\. Nothing was compared or changed\.$/,
  },
  {
    title: 'the database is gone',
    change: (url) => {
      url.pathname = '/nowhere';
    },
    message:
      /^Cannot connect to PostgreSQL: database "nowhere" does not exist\. Nothing was compared or changed\.$/,
  },
];

describe.each(AWAY)('$title', ({ change, message }) => {
  let migrator: AutoMigrator;

  beforeAll(async () => {
    const dataSource = await openDataSource(urlOf(PASSWORD), [thing]);
    const pool = (dataSource.driver as unknown as { master: { options: object } }).master;
    const url = new URL(urlOf(PASSWORD));
    await change(url);
    Object.assign(pool.options, { connectionString: url.href });
    migrator = new AutoMigrator(dataSource);
  });

  function expectNoPassword(value: unknown): void {
    const texts = [JSON.stringify(value), inspect(value, { depth: 9, showHidden: true })];
    if (value instanceof Error) texts.push(value.message, value.stack ?? '');
    for (const text of texts) for (const spelling of SPELLINGS) expect(text).not.toContain(spelling);
    expect(texts.join()).not.toMatch(/postgres(ql)?:\/\//);
  }

  test('a check tells it, and does not throw', async () => {
    const report = await migrator.check();
    expect(report).toMatchObject({ verdict: 'unknown', desiredHash: null, drift: [], warnings: [] });
    expect(report.error).toMatch(message);
    expectNoPassword(report);
  });

  test('so does a plan, and has none', async () => {
    const report = await migrator.plan();
    expect(report).toMatchObject({ verdict: 'unknown', plan: null });
    expect(report.error).toMatch(message);
  });

  test('so does a heal, which fails', async () => {
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'failed', runId: null, applied: [], failed: [], open: [] });
    expect(report.error).toMatch(message);
    expectNoPassword(report);
  });

  test.each(['history', 'healer'] as const)('%s throws an error that names it', async (method) => {
    const error: unknown = await migrator[method]().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as ConnectionError).message).toMatch(message);
    expectNoPassword(error);
  });
});

describe('a data source that cannot be used', () => {
  const closed = async (): Promise<DataSource> => {
    const dataSource = await openDataSource(urlOf(PASSWORD), [thing]);
    await dataSource.destroy();
    return dataSource;
  };

  const cases: { title: string; make: () => Promise<DataSource> | DataSource; message: string }[] = [
    {
      title: 'not initialised',
      make: () => new DataSource({ type: 'postgres', url: urlOf(PASSWORD), entities: [thing] }),
      message: 'The data source is not initialised. Call its initialize() first.',
    },
    {
      title: 'closed',
      make: closed,
      message: 'The data source is not initialised. Call its initialize() first.',
    },
    {
      title: 'not PostgreSQL',
      make: () => new DataSource({ type: 'cockroachdb', url: urlOf(PASSWORD), timeTravelQueries: false }),
      message: 'The data source is of type "cockroachdb"; only "postgres" can be migrated.',
    },
    {
      title: 'missing',
      make: () => undefined as unknown as DataSource,
      message: 'There is no data source: a DataSource of TypeORM is needed, not undefined.',
    },
    {
      title: 'its options instead of it',
      make: () => ({ type: 'postgres', url: urlOf(PASSWORD) }) as unknown as DataSource,
      message: 'There is no data source: a DataSource of TypeORM is needed, not an object.',
    },
  ];

  test.each(cases)('$title', async ({ make, message }) => {
    const migrator = new AutoMigrator(await make());
    expect(await migrator.check()).toMatchObject({ verdict: 'unknown', error: message });
    expect(await migrator.heal()).toMatchObject({ outcome: 'failed', error: message });
    await expect(migrator.history()).rejects.toThrow(new DataSourceError(message));
  });

  test('one that is initialised later is used from then on', async () => {
    const dataSource = new DataSource({ type: 'postgres', url: database.url, entities: [thing] });
    const migrator = new AutoMigrator(dataSource);
    expect(await migrator.check()).toMatchObject({ verdict: 'unknown' });
    await dataSource.initialize();
    expect(await migrator.check()).toMatchObject({ verdict: 'drift', error: null });
    await dataSource.destroy();
  });
});

describe('an option that is wrong ends the construction, naming option and value', () => {
  const cases: [options: object, option: string, words: string][] = [
    [{ policy: 'yolo' }, 'policy', "'yolo' is neither 'safe' nor 'off'"],
    [{ execution: 'parallel' }, 'execution', "'parallel' is neither 'online' nor 'atomic'"],
    [{ schemas: 'public' }, 'schemas', "'public' is not a list of names"],
    [{ schemas: [] }, 'schemas', '[] names no schema'],
    [{ ignore: { tables: 'x' } }, 'ignore.tables', "'x'"],
    [{ lockTimeoutMs: 0 }, 'lockTimeoutMs', '0 is below 1 ms'],
    [{ lockTimeoutMs: '1s' }, 'lockTimeoutMs', "'1s' is not a whole number of milliseconds"],
    [{ waitForHealerMs: -1 }, 'waitForHealerMs', '-1 is below 0 ms'],
    [{ journalSchema: '' }, 'journalSchema', "'' is empty"],
    [{ cron: '* * * * *' }, 'cron', 'is not known'],
  ];

  test.each(cases)('%j', (options, option, words) => {
    const construct = (): unknown => new AutoMigrator(new DataSource({ type: 'postgres' }), options);
    expect(construct).toThrow(InvalidOptionError);
    expect(construct).toThrow(`Option "${option}" of nestjs-auto-migration: `);
    expect(construct).toThrow(words);
  });
});
