import { describeError } from '../errors.js';
import { run, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import type { QualifiedName, Refusal, Schema } from '../schema/model.js';
import { readSchemaInTransaction } from '../schema/read-schema.js';
import { withForeignKeys } from './foreign-keys.js';
import { PLACEHOLDER, type Rendered, type RenderedTable } from './render.js';
import { createExtensions, isBuildersTurn } from './shadow-preparation.js';
import { openSchemas, openTemporarySchema, type Places } from './shadow-places.js';
import { buildViews } from './shadow-views.js';
import { qualifyEnums } from './temporary-names.js';
import { union } from './union.js';

/**
 * A table takes up to 19 locks, and a server's lock table may hold as few as 6,400: so many are built at a time and
 * rolled back, which gives their locks back.
 */
const TABLES_AT_A_TIME = 100;

/**
 * Builds what the entities ask for where nobody else can see it, reads it back in PostgreSQL's own words and rolls
 * everything back. A role that may not create schemas has its temporary one, where the namespaces take turns.
 *
 * @returns null while another process is building: two at once could fill the server's lock table
 * @throws DesiredSchemaError where the role may build nothing at all
 */
export async function buildShadow(connection: Connection, rendered: Rendered): Promise<Schema | null> {
  const namespaces = [...new Set([...rendered.tables, ...rendered.views].map(({ schema }) => schema))];
  await run(connection, 'begin');
  try {
    if (!(await isBuildersTurn(connection))) return null;
    await createExtensions(connection, rendered.extensions);
    const places = await openSchemas(connection, namespaces);
    const schema = places
      ? await build(connection, rendered, places)
      : await buildInTurns(connection, rendered, namespaces);
    const { extensions, refused, tables } = rendered;
    return withForeignKeys({ ...schema, extensions, refused: [...refused, ...schema.refused] }, tables);
  } finally {
    // A lost connection has rolled back already.
    await run(connection, 'rollback').catch(() => undefined);
  }
}

async function build(connection: Connection, rendered: Rendered, places: Places): Promise<Schema> {
  const { types, tables, views } = rendered;
  const scope = [...places].map(([reportedAs, actual]) => ({ reportedAs, actual }));
  const refused = await buildEach(
    connection,
    types.map(({ table, statement }) => ({ ...table, statements: [statement] })),
    places,
  );
  const parts: Schema[] = [];
  for (let first = 0; first === 0 || first < tables.length; first += TABLES_AT_A_TIME) {
    await run(connection, 'savepoint chunk');
    const chunk = tables.slice(first, first + TABLES_AT_A_TIME);
    refused.push(...(await buildEach(connection, chunk, places)));
    parts.push(await readSchemaInTransaction(connection, scope));
    await run(connection, 'rollback to savepoint chunk');
  }
  if (views.length > 0) {
    const bases = tables.filter(({ name }) => views.some((view) => mentions(view.statements, name)));
    await buildEach(connection, bases, places);
    refused.push(...(await buildViews(connection, views, [...tables, ...views], places)));
    const { tables: built, ...rest } = await readSchemaInTransaction(connection, scope);
    parts.push({ ...rest, tables: built.filter(({ definition }) => definition !== null) });
  }
  return { ...union(parts), refused };
}

/** No views: PostgreSQL has no temporary materialised ones, and leaves the temporary schema out of what it prints. */
async function buildInTurns(
  connection: Connection,
  rendered: Rendered,
  namespaces: readonly string[],
): Promise<Schema> {
  const temporary = await openTemporarySchema(connection);
  const parts: Schema[] = [];
  for (const namespace of namespaces) {
    const part = {
      ...rendered,
      types: rendered.types.filter(({ table }) => table.schema === namespace),
      tables: rendered.tables.filter(({ schema }) => schema === namespace),
      views: [],
    };
    await run(connection, 'savepoint turn');
    parts.push(qualifyEnums(await build(connection, part, new Map([[namespace, temporary]])), namespace));
    await run(connection, 'rollback to savepoint turn');
  }
  return union(parts);
}

type Buildable = Pick<RenderedTable, 'schema' | 'name' | 'statements'>;

/** All in one message; one by one only where one of them is refused, to learn which. */
async function buildEach(
  connection: Connection,
  tables: readonly Buildable[],
  places: Places,
): Promise<Refusal[]> {
  const failure = await tryBuild(connection, tables, places);
  if (failure === undefined) return [];
  if (tables.length === 1) return tables.map(({ schema, name }) => refusal({ schema, name }, failure));
  const half = Math.ceil(tables.length / 2);
  return [
    ...(await buildEach(connection, tables.slice(0, half), places)),
    ...(await buildEach(connection, tables.slice(half), places)),
  ];
}

async function tryBuild(
  connection: Connection,
  tables: readonly Buildable[],
  places: Places,
): Promise<unknown> {
  const from = `${quoteIdentifier(PLACEHOLDER)}.`;
  const statements = tables.flatMap((table) => {
    const to = `${quoteIdentifier(places.get(table.schema) ?? '')}.`;
    return table.statements.map((statement) => statement.replaceAll(from, to));
  });
  if (statements.length === 0) return undefined;
  await run(connection, 'savepoint tables');
  try {
    await run(connection, statements.join(';\n'));
    return undefined;
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback to savepoint tables');
    return error;
  }
}

function refusal({ schema, name }: QualifiedName, error: unknown): Refusal {
  return { schema, name, reason: describeError(error), constraint: null };
}

function mentions(statements: readonly string[], name: string): boolean {
  return statements.some((statement) => statement.includes(name));
}
