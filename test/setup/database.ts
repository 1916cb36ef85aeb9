import pg from 'pg';
import { inject } from 'vitest';
import { databaseUrl, randomName } from './database-url.js';
import { closeAfter } from './open-resources.js';

/** A database on the tests' server that nobody else uses. It is dropped when the test file has ended. */
export interface TestDatabase {
  readonly url: string;
  /** Runs SQL, several statements where there are no values, and gives the rows of the last one. */
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    sql: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** Before the end of the file; whoever is still connected is thrown out. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /**
   * `empty`, `hotel` for the legacy schema and rows of sample/hotel, or one that the test file has made, whose sessions
   * are ended.
   * @default 'empty'
   */
  template?: 'empty' | 'hotel' | TestDatabase;
}

/** A fresh database, made in about 100 ms, for a test file or for a single test. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = randomName('test');
  const template = await templateOf(options);
  // Before that version it was the only way.
  const strategy = inject('postgresMajor') >= 15 ? 'STRATEGY FILE_COPY' : '';
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${template} ${strategy}`);

  const url = databaseUrl(inject('databaseUrl'), name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // A connection that a test killed on purpose while it was idle.
  pool.on('error', () => undefined);
  let isThere = true;
  const database: TestDatabase = {
    url,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
      const results = [await pool.query<Row>(sql, values)].flat();
      return results.at(-1)?.rows ?? [];
    },
    async drop() {
      if (!isThere) return;
      isThere = false;
      await pool.end();
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
  closeAfter('databases', () => database.drop());
  return database;
}

async function templateOf({ template = 'empty' }: TestDatabaseOptions): Promise<string> {
  if (template === 'empty') return "template0 ENCODING 'UTF8'";
  if (template === 'hotel') return inject('hotelTemplate');
  const name = new URL(template.url).pathname.slice(1);
  await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
  return name;
}

/** By the tests' superuser. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
