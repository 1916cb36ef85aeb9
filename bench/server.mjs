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
 * A database of its own with tables for others to look at.
 * @param {string} server
 * @param {Content} content
 */
export async function createDatabase(server, { tables, foreign }) {
  const database = await newDatabase(server);
  const own = makeTables(tables);
  const statements = createStatements(own, 'public');
  for (let first = 0; first < foreign; first += FOREIGN_TABLES_A_SCHEMA) {
    const schema = `others_${first / FOREIGN_TABLES_A_SCHEMA}`;
    const theirs = makeTables(Math.min(FOREIGN_TABLES_A_SCHEMA, foreign - first));
    statements.push(`create schema ${schema}`, ...createStatements(theirs, schema));
  }
  // As autovacuum leaves a database that has been in use for a while; nothing of the kind runs while we measure.
  await execute(database.url, [...statements, 'vacuum (analyze)', 'checkpoint']);
  return { ...database, tables: own };
}

/**
 * An empty database.
 * @param {string} server
 */
export async function newDatabase(server) {
  return create(server, "template template0 encoding 'UTF8'");
}

/**
 * A database with the same content, written to the disk, so that no checkpoint has to do it later.
 * @param {string} server
 * @param {Database} original nobody is connected to it
 */
export async function copyDatabase(server, original) {
  const isChoosy = Number.parseInt(await serverVersion(server)) >= STRATEGY_SINCE;
  // Copied row by row through the log, as is the default since, millions of rows would take much longer.
  const copy = await create(server, `template ${original.name}${isChoosy ? ' strategy file_copy' : ''}`);
  await execute(server, ['checkpoint']);
  return copy;
}

/** The version of PostgreSQL that knows CREATE DATABASE … STRATEGY. */
const STRATEGY_SINCE = 15;

/**
 * @typedef {object} Database
 * @property {string} name
 * @property {string} url
 * @property {() => Promise<void>} drop with whoever is connected
 */

/**
 * @param {string} server
 * @param {string} clauses
 * @returns {Promise<Database>}
 */
async function create(server, clauses) {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await execute(server, [`create database ${name} ${clauses}`]);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const drop = () => execute(server, [`drop database if exists ${name} with (force)`]);
  return { name, url: url.href, drop };
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
