import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../tools/embedded-postgres/index.mjs';
import { databaseUrl, randomName } from './database-url.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a database on the tests' server that a superuser, or a role that may create databases, connects to. */
    databaseUrl: string;
    /** The name of a database that holds the hotel's legacy schema and rows, to be copied. */
    hotelTemplate: string;
    /** Of the tests' server. */
    postgresMajor: number;
  }
}

const HOTEL = new URL('../../sample/hotel/database/hotel-legacy.sql', import.meta.url);

/** One server for all test files: TEST_DATABASE_URL, or one of our own that vanishes with this run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given === undefined || given === '' ? await startServer() : undefined;
  const url = server?.url ?? given ?? '';
  try {
    const hotelTemplate = await loadHotel(url);
    project.provide('databaseUrl', url);
    project.provide('hotelTemplate', hotelTemplate);
    project.provide('postgresMajor', await majorVersion(url));
    return async () => {
      if (server) await server.stop();
      else await run(url, `DROP DATABASE IF EXISTS ${hotelTemplate}`);
    };
  } catch (error) {
    await server?.stop();
    throw error;
  }
}

/** A crash of the tests' server is a failed run, whatever the disk holds: so nothing waits for the disk. */
function startServer() {
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    max_prepared_transactions: '5',
  };
  return startPostgres({ persistent: false, settings });
}

/** Nobody may connect to it afterwards, because a database that has connections cannot be copied. */
async function loadHotel(url: string): Promise<string> {
  const name = randomName('hotel_template');
  await run(url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  await run(databaseUrl(url, name), await readFile(HOTEL, 'utf8'));
  await run(url, `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  return name;
}

async function majorVersion(url: string): Promise<number> {
  const [row] = await run(url, `SELECT current_setting('server_version_num')::int / 10000 AS major`);
  return Number(row?.['major']);
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
