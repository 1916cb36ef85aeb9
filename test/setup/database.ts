import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { databaseUrl, randomName } from './database-url.js';

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
   * `empty`, or `hotel` for the legacy schema and rows of sample/hotel.
   * @default 'empty'
   */
  template?: 'empty' | 'hotel';
}

const databases = new Set<TestDatabase>();

// Hooks run in the reverse order of their registration: this one, made by an import, comes after the file's own.
afterAll(async () => {
  await Promise.all([...databases].map((database) => database.drop()));
});

/** A fresh database, made in about 50 ms, for a test file or for a single test. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = randomName('test');
  const template = options.template === 'hotel' ? inject('hotelTemplate') : "template0 ENCODING 'UTF8'";
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${template}`);

  const url = databaseUrl(inject('databaseUrl'), name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // A connection that a test killed on purpose while it was idle.
  pool.on('error', () => undefined);
  const database: TestDatabase = {
    url,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
      const results = [await pool.query<Row>(sql, values)].flat();
      return results.at(-1)?.rows ?? [];
    },
    async drop() {
      if (!databases.delete(database)) return;
      await pool.end();
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
  databases.add(database);
  return database;
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
