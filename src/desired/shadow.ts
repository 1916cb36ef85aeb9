import { describeError, DesiredSchemaError } from '../errors.js';
import { run, type Connection } from '../schema/connection.js';
import { displayName, quoteIdentifier } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import { readSchemaInTransaction } from '../schema/read-schema.js';
import { PLACEHOLDER, type Rendered, type RenderedTable } from './render.js';
import { openSchemas, openTemporarySchema, type Places } from './shadow-places.js';
import { buildViews } from './shadow-views.js';
import { qualifyEnums } from './temporary-names.js';

/**
 * Builds what the entities ask for where nobody else can see it, reads it back in PostgreSQL's own words and rolls
 * everything back. A role that may not create schemas has its temporary one, where the namespaces take turns.
 *
 * @throws DesiredSchemaError naming the table or view that PostgreSQL does not accept
 */
export async function buildShadow(connection: Connection, rendered: Rendered): Promise<Schema> {
  const namespaces = [...new Set([...rendered.tables, ...rendered.views].map(({ schema }) => schema))];
  await run(connection, 'begin');
  try {
    const places = await openSchemas(connection, namespaces);
    return places
      ? await build(connection, rendered, places)
      : await buildInTurns(connection, rendered, namespaces);
  } finally {
    // A lost connection has rolled back already.
    await run(connection, 'rollback').catch(() => undefined);
  }
}

async function build(connection: Connection, { tables, views }: Rendered, places: Places): Promise<Schema> {
  for (const table of tables) await buildTable(connection, table, places);
  if (views.length > 0) await buildViews(connection, views, [...tables, ...views], places);
  const scope = [...places].map(([reportedAs, actual]) => ({ reportedAs, actual }));
  return withForeignKeys(await readSchemaInTransaction(connection, scope), tables);
}

/** No materialised views: PostgreSQL has no temporary ones. */
async function buildInTurns(
  connection: Connection,
  { tables, views }: Rendered,
  namespaces: readonly string[],
): Promise<Schema> {
  const temporary = await openTemporarySchema(connection);
  const parts: Schema[] = [];
  for (const namespace of namespaces) {
    const part = {
      tables: tables.filter(({ schema }) => schema === namespace),
      views: views.filter(({ schema, materialized }) => schema === namespace && !materialized),
    };
    await run(connection, 'savepoint turn');
    parts.push(qualifyEnums(await build(connection, part, new Map([[namespace, temporary]])), namespace));
    await run(connection, 'rollback to savepoint turn');
  }
  return union(parts);
}

async function buildTable(connection: Connection, table: RenderedTable, places: Places): Promise<void> {
  const from = `${quoteIdentifier(PLACEHOLDER)}.`;
  const to = `${quoteIdentifier(places.get(table.schema) ?? '')}.`;
  try {
    for (const statement of table.statements) await run(connection, statement.replaceAll(from, to));
  } catch (error) {
    throw new DesiredSchemaError(displayName(table.schema, table.name), describeError(error));
  }
}

function withForeignKeys(schema: Schema, rendered: readonly RenderedTable[]): Schema {
  const withThem = (table: Table): Table => {
    const same = rendered.find(
      ({ schema: namespace, name }) => namespace === table.schema && name === table.name,
    );
    return { ...table, constraints: [...table.constraints, ...(same?.foreignKeys ?? [])] };
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
