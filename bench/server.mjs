import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { startPostgres } from '../tools/embedded-postgres/index.mjs';
import { createStatements } from './fixture/ddl.mjs';
import { makeTables } from './fixture/tables.mjs';

/**
 * What a database of the bench holds.
 * @typedef {object} Content
 * @property {number} tables of the application, in the schema public
 * @property {number} foreign tables in other schemas
 */

const FOREIGN_TABLES_A_SCHEMA = 500;

/**
 * A server of our own with default settings, or the one at BENCH_DATABASE_URL, whose role may create databases.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startServer() {
  const given = process.env['BENCH_DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  return startPostgres({ persistent: false });
}

/**
 * A database of its own.
 * @param {string} server
 * @param {Content} content
 */
export async function createDatabase(server, { tables, foreign }) {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await execute(server, [`create database ${name} template template0 encoding 'UTF8'`]);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const own = makeTables(tables);
  const statements = createStatements(own, 'public');
  for (let first = 0; first < foreign; first += FOREIGN_TABLES_A_SCHEMA) {
    const schema = `others_${first / FOREIGN_TABLES_A_SCHEMA}`;
    const theirs = makeTables(Math.min(FOREIGN_TABLES_A_SCHEMA, foreign - first));
    statements.push(`create schema ${schema}`, ...createStatements(theirs, schema));
  }
  // As autovacuum leaves a database that has been in use for a while; nothing of the kind runs while we measure.
  await execute(url.href, [...statements, 'vacuum (analyze)', 'checkpoint']);
  return {
    url: url.href,
    tables: own,
    drop: () => execute(server, [`drop database if exists ${name} with (force)`]),
  };
}

/**
 * @param {string} url
 * @param {readonly string[]} statements
 */
export async function execute(url, statements) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** @param {string} url */
export async function serverVersion(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('show server_version');
    return String(/** @type {{ server_version: string }[]} */ (rows)[0]?.server_version);
  } finally {
    await client.end();
  }
}
