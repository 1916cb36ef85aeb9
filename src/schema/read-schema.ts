import { setImmediate as breathe } from 'node:timers/promises';
import pRetry from 'p-retry';
import { columns, toColumn, type ColumnRow } from './catalog/columns.js';
import { constraints, toConstraint, type ConstraintRow } from './catalog/constraints.js';
import { enums, type EnumRow } from './catalog/enums.js';
import { indexes, toIndex, type IndexRow } from './catalog/indexes.js';
import { namespaces, type NamespaceRow } from './catalog/namespaces.js';
import { partitions, toPartition, type PartitionRow } from './catalog/partitions.js';
import { sequences, type SequenceRow } from './catalog/sequences.js';
import { server, type ServerRow } from './catalog/server.js';
import { tables, type TableRow } from './catalog/tables.js';
import { views, type ViewRow } from './catalog/views.js';
import type { Connection, Result } from './connection.js';
import { fingerprintQuery } from './fingerprint.js';
import { describeHolders, SchemaLockedError } from './holders.js';
import { quoteLiteral } from './identifier.js';
import type { RelationKind, Schema, Table } from './model.js';
import { settledText } from './settled-text.js';
import { setWording } from './wording.js';

/** A namespace on the server and the name that it is reported under (they differ only for a shadow). */
export interface Scope {
  readonly actual: string;
  readonly reportedAs: string;
}

const KINDS = {
  server,
  namespaces,
  enums,
  tables,
  columns,
  constraints,
  indexes,
  partitions,
  views,
  sequences,
} as const;

interface Rows {
  server: ServerRow[];
  namespaces: NamespaceRow[];
  enums: EnumRow[];
  tables: TableRow[];
  columns: ColumnRow[];
  constraints: ConstraintRow[];
  indexes: IndexRow[];
  partitions: PartitionRow[];
  views: ViewRow[];
  sequences: SequenceRow[];
}

const RELATION_KINDS: Record<TableRow['relkind'], RelationKind> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
};

/** Whoever heals commits many times a second, and pauses where a table is long at something: some eight seconds in all. */
const PATIENCE = { retries: 12, minTimeout: 20, maxTimeout: 1000, randomize: true };

/**
 * Most is read without a lock, but for the text of a check, an expression or a view PostgreSQL opens the table, and waits
 * for whoever has it for himself alone.
 */
const LOCK_TIMEOUT_MS = 5000;

/** Somebody has changed the schema while it was read. */
class TornReadingError extends Error {
  constructor() {
    super(`somebody is changing the schema all the time: ${PATIENCE.retries + 1} readings were torn`);
  }
}

/**
 * Reads schemas from the catalog in one round trip and one snapshot: a schema is never seen half before and half after
 * somebody's change. Takes no lock that keeps anybody from reading or writing rows. Names that are not there are simply
 * missing from the answer.
 *
 * PostgreSQL's functions that print definitions look past the snapshot at what is there now. So the fingerprint is asked
 * for again after it, and where it is another one all is read anew.
 *
 * @param lockTimeoutMs for each lock that has to be waited for, in milliseconds
 * @throws TornReadingError when somebody has changed the schema meanwhile, each time
 * @throws SchemaLockedError when somebody has a table for himself alone for longer
 */
export async function readSchema(
  connection: Connection,
  scope: readonly Scope[],
  lockTimeoutMs = LOCK_TIMEOUT_MS,
): Promise<Schema> {
  return pRetry(() => readWhole(connection, scope, lockTimeoutMs), {
    ...PATIENCE,
    shouldRetry: ({ error }) => error instanceof TornReadingError,
  });
}

async function readWhole(
  connection: Connection,
  scope: readonly Scope[],
  lockTimeoutMs: number,
): Promise<Schema> {
  const fingerprint = fingerprintQuery(scope.map(({ actual }) => actual));
  const statements = [
    'begin isolation level repeatable read read only',
    `set local lock_timeout = ${lockTimeoutMs}`,
    ...readings(scope),
    fingerprint,
    'commit',
    fingerprint,
  ];
  const results = await queryUnlessGone(connection, statements).catch(async (error: unknown) => {
    throw isCode(error, LOCK_NOT_AVAILABLE) ? await lockedError(connection, scope, lockTimeoutMs) : error;
  });
  const [before, , after] = results.slice(-3).map(fingerprintIn);
  if (before === undefined || before !== after) throw new TornReadingError();
  return { ...(await toSchema(toRows(results.slice(2)))), fingerprint: before };
}

async function lockedError(
  connection: Connection,
  scope: readonly Scope[],
  waitedMs: number,
): Promise<SchemaLockedError> {
  await connection.query('rollback');
  const schemas = scope.map(({ actual }) => actual);
  return new SchemaLockedError(waitedMs, await describeHolders(connection, schemas));
}

function fingerprintIn({ rows }: Result): string | undefined {
  return rows[0]?.['fingerprint'] as string | undefined;
}

/** What was dropped while it was being printed is an internal error: no answer then, and it is read anew. */
async function queryUnlessGone(connection: Connection, statements: readonly string[]): Promise<Result[]> {
  try {
    return await query(connection, statements);
  } catch (error) {
    if (connection.lost.aborted || !isCode(error, INTERNAL_ERROR)) throw error;
    await connection.query('rollback');
    return [];
  }
}

const INTERNAL_ERROR = 'XX000';
const LOCK_NOT_AVAILABLE = '55P03';

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The same within a transaction that is open already, seeing what it has made itself. */
export async function readSchemaInTransaction(
  connection: Connection,
  scope: readonly Scope[],
): Promise<Schema> {
  return toSchema(toRows(await query(connection, readings(scope))));
}

async function query(connection: Connection, statements: readonly string[]): Promise<Result[]> {
  return (await connection.query(statements.join(';\n'))) as Result[];
}

function readings(scope: readonly Scope[]): string[] {
  const clause = scopeClause(scope);
  return [setWording('transaction'), ...Object.values(KINDS).map(({ sql }) => `${clause} ${sql}`)];
}

function toRows(results: readonly Result[]): Rows {
  // The first one is that of the wording.
  return Object.fromEntries(
    Object.keys(KINDS).map((kind, i) => [kind, results[i + 1]?.rows ?? []]),
  ) as unknown as Rows;
}

function scopeClause(scope: readonly Scope[]): string {
  const values = scope.map(
    ({ actual, reportedAs }) => `(${quoteLiteral(actual)}, ${quoteLiteral(reportedAs)})`,
  );
  // Entities may ask for nothing, and VALUES has no way to say so.
  const rows = values.length === 0 ? `select '', '' where false` : `values ${values.join(', ')}`;
  return `with scope(name, alias, oid) as (
    select n.nspname, v.alias, n.oid from (${rows}) v(name, alias)
    join pg_namespace n on n.nspname = v.name),
  relation as materialized (
    select s.oid as namespace, s.name as actual, s.alias as schema, c.oid, c.relname as name, c.relkind as kind, c.relowner as owner,
      c.relrowsecurity as secured, c.relhassubclass as inherited, c.relpages as pages, c.reltuples as tuples
    from scope s join pg_class c on c.relnamespace = s.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition)`;
}

async function toSchema(rows: Rows): Promise<Schema> {
  const rename = renamer(rows.namespaces);
  await breathe();
  const columnsOf = groupByTable(rows.columns);
  await breathe();
  const constraintsOf = groupByTable(rows.constraints);
  const indexesOf = groupByTable(rows.indexes);
  const partitionsOf = groupByTable(rows.partitions);
  const definitionOf = new Map(rows.views.map(({ table, definition }) => [table, rename(definition)]));
  const sequenceOf = new Map(
    rows.sequences.map(({ table, column, ...sequence }) => [`${table} ${column}`, sequence]),
  );
  const toTable = (row: TableRow): Table => ({
    schema: row.schema,
    name: row.name,
    kind: RELATION_KINDS[row.relkind],
    definition: definitionOf.get(row.oid) ?? null,
    comment: row.comment,
    owned: row.owned,
    hidesRows: row.hidesRows,
    columns: (columnsOf.get(row.oid) ?? []).map((column) =>
      toColumn(column, rename, sequenceOf.get(`${row.oid} ${column.name}`) ?? null),
    ),
    constraints: (constraintsOf.get(row.oid) ?? []).map((constraint) => toConstraint(constraint, rename)),
    indexes: (indexesOf.get(row.oid) ?? []).map((index) => toIndex(index, rename)),
    partitions: (partitionsOf.get(row.oid) ?? []).map(toPartition),
  });
  return {
    serverVersion: rows.server[0]?.version ?? 0,
    fingerprint: null,
    namespaces: rows.namespaces.map(({ name, mayCreate }) => ({ name, mayCreate })),
    extensions: rows.server[0]?.extensions ?? [],
    enums: rows.enums,
    refused: [],
    tables: await mapInBreaths(rows.tables, toTable),
  };
}

const TABLES_A_BREATH = 250;

/** This runs inside somebody's server: its event loop is not to be held for long. */
async function mapInBreaths<From, To>(items: readonly From[], map: (item: From) => To): Promise<To[]> {
  const mapped: To[] = [];
  for (const item of items) {
    mapped.push(map(item));
    if (mapped.length % TABLES_A_BREATH === 0) await breathe();
  }
  return mapped;
}

/**
 * Brings PostgreSQL's texts into one form. A shadow's namespace has a name that occurs nowhere else, so replacing it cannot
 * hit anything else.
 */
function renamer(found: readonly NamespaceRow[]): (text: string) => string {
  const renamed = found.filter(({ actual, name }) => actual !== name);
  return (text) =>
    // A function, as a $ in a text would be a pattern.
    renamed.reduce(
      (result, { actual, quoted }) => result.replaceAll(`${actual}.`, () => `${quoted}.`),
      settledText(text),
    );
}

function groupByTable<Row extends { readonly table: number }>(rows: readonly Row[]): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.table);
    if (group) group.push(row);
    else groups.set(row.table, [row]);
  }
  return groups;
}
