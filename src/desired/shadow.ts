import { randomBytes } from 'node:crypto';
import { describeError, DesiredSchemaError, SqlState, sqlStateOf } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { displayName, quoteIdentifier } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import { readSchemaInTransaction } from '../schema/read-schema.js';
import { PLACEHOLDER, type RenderedTable } from './render.js';
import { qualifyEnums } from './temporary-names.js';

/**
 * Builds what the entities ask for in a namespace that nobody else can see, reads it back in PostgreSQL's own words and
 * rolls everything back. One namespace at a time, so that an entity's table is never in the way of another schema's.
 */
export async function buildShadow(
  connection: Connection,
  rendered: readonly RenderedTable[],
): Promise<Schema> {
  await run(connection, 'begin');
  try {
    const parts: Schema[] = [];
    for (const namespace of new Set(rendered.map(({ schema }) => schema))) {
      const tables = rendered.filter(({ schema }) => schema === namespace);
      parts.push(await buildNamespace(connection, namespace, tables));
    }
    return union(parts);
  } finally {
    // A lost connection has rolled back already.
    await run(connection, 'rollback').catch(() => undefined);
  }
}

interface Place {
  readonly actual: string;
  readonly temporary: boolean;
}

async function buildNamespace(
  connection: Connection,
  namespace: string,
  tables: readonly RenderedTable[],
): Promise<Schema> {
  await run(connection, 'savepoint shadow');
  const place = await openPlace(connection);
  for (const table of tables) await buildTable(connection, place, table);
  const schema = await readSchemaInTransaction(connection, [{ actual: place.actual, reportedAs: namespace }]);
  await run(connection, 'rollback to savepoint shadow');
  const result = withForeignKeys(schema, tables);
  return place.temporary ? qualifyEnums(result, namespace) : result;
}

/** A schema of its own; for a role that may not create one, the session's temporary schema. */
async function openPlace(connection: Connection): Promise<Place> {
  const token = `${PLACEHOLDER}_${randomBytes(6).toString('hex')}`;
  await run(connection, 'savepoint place');
  try {
    await run(connection, `create schema ${quoteIdentifier(token)}`);
    return { actual: token, temporary: false };
  } catch (error) {
    if (sqlStateOf(error) !== SqlState.insufficientPrivilege)
      throw new DesiredSchemaError(undefined, describeError(error));
    await run(connection, 'rollback to savepoint place');
    return { actual: await temporaryNamespace(connection), temporary: true };
  }
}

async function temporaryNamespace(connection: Connection): Promise<string> {
  try {
    // The session has no temporary schema before its first temporary table.
    await run(connection, 'create temporary table auto_migration_probe () on commit drop');
    await run(connection, 'drop table pg_temp.auto_migration_probe');
  } catch (error) {
    const needs = 'the role needs CREATE or TEMPORARY on the database to compare';
    throw new DesiredSchemaError(undefined, `${describeError(error)}; ${needs}`);
  }
  const sql = 'select nspname as name from pg_namespace where oid = pg_my_temp_schema()';
  const [row] = await queryRows<{ name: string }>(connection, sql);
  return row?.name ?? 'pg_temp';
}

async function buildTable(connection: Connection, place: Place, table: RenderedTable): Promise<void> {
  const from = `${quoteIdentifier(PLACEHOLDER)}.`;
  const to = `${quoteIdentifier(place.actual)}.`;
  try {
    for (const statement of table.statements) await run(connection, statement.replaceAll(from, to));
  } catch (error) {
    throw new DesiredSchemaError(displayName(table.schema, table.name), describeError(error));
  }
}

function withForeignKeys(schema: Schema, rendered: readonly RenderedTable[]): Schema {
  const withThem = (table: Table): Table => {
    const foreignKeys = rendered.find(({ name }) => name === table.name)?.foreignKeys ?? [];
    return { ...table, constraints: [...table.constraints, ...foreignKeys] };
  };
  return { ...schema, tables: schema.tables.map(withThem) };
}

function union(parts: readonly Schema[]): Schema {
  return {
    serverVersion: parts[0]?.serverVersion ?? 0,
    namespaces: parts.flatMap(({ namespaces }) => namespaces),
    enums: parts.flatMap(({ enums }) => enums),
    tables: parts.flatMap(({ tables }) => tables),
  };
}
