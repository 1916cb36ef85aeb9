import { run, type Connection, type Result } from './connection.js';
import { quoteIdentifier, quoteQualified } from './identifier.js';
import type { Column, QualifiedName, Schema, Table } from './model.js';

/** Each reads one end of an index; this many hold few locks at a time. */
const COLUMNS_A_QUERY = 100;

/** Looking must neither wait for a change that is under way nor become a load. */
const LIMITS = `set local search_path = pg_catalog; set local lock_timeout = '100ms'; set local statement_timeout = '5s'`;

type Maxima = Map<Column, string | null>;

/** Column names by table, as {@link columnKey} writes them. */
export type ColumnKeys = ReadonlySet<string>;

export function columnKey({ schema, name }: QualifiedName, column: string): string {
  return JSON.stringify([schema, name, column]);
}

/**
 * Adds the largest value of each column that a sequence fills. It is in no catalog, so it is asked of the tables, only
 * where an index answers at once. What cannot be had stays unknown.
 */
export async function withMaxima(connection: Connection, schema: Schema, keys: ColumnKeys): Promise<Schema> {
  const wanted = schema.tables.flatMap((table) =>
    table.columns
      .filter(({ name, sequence }) => sequence !== null && keys.has(columnKey(table, name)))
      .map((column) => ({ table, column })),
  );
  if (wanted.length === 0) return schema;
  const maxima: Maxima = new Map();
  for (let first = 0; first < wanted.length; first += COLUMNS_A_QUERY)
    await readMaxima(connection, wanted.slice(first, first + COLUMNS_A_QUERY), maxima);
  const withMaximum = (column: Column): Column =>
    column.sequence === null
      ? column
      : { ...column, sequence: { ...column.sequence, maximum: maxima.get(column) ?? null } };
  return {
    ...schema,
    tables: schema.tables.map((table) => ({ ...table, columns: table.columns.map(withMaximum) })),
  };
}

async function readMaxima(
  connection: Connection,
  wanted: readonly { readonly table: Table; readonly column: Column }[],
  maxima: Maxima,
): Promise<void> {
  const selects = wanted.map(
    ({ table, column }, i) =>
      `(select ${i} as i, max(${quoteIdentifier(column.name)})::text as maximum from ${quoteQualified(table)})`,
  );
  try {
    const sql = `begin read only; ${LIMITS}; ${selects.join(' union all ')}; commit`;
    const results = (await connection.query(sql)) as Result[];
    for (const row of results.at(-2)?.rows ?? []) {
      const asked = wanted[Number(row['i'])];
      if (asked) maxima.set(asked.column, row['maximum'] as string | null);
    }
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback');
  }
}
