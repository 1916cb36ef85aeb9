import { run, type Connection, type Result } from './connection.js';
import { quoteIdentifier, quoteLiteral, quoteQualified } from './identifier.js';
import type { Column, QualifiedName, Schema, Sequence, Table } from './model.js';

/** Each reads one end of an index; this many hold few locks at a time. */
const COLUMNS_A_QUERY = 100;

/** Looking must neither wait for a change that is under way nor become a load. */
const LIMITS = `set local search_path = pg_catalog; set local lock_timeout = '100ms'; set local statement_timeout = '5s'`;

type Sequences = Map<Column, Sequence>;

/** A column and the sequence that fills it. */
interface Filled {
  readonly table: Table;
  readonly column: Column;
  readonly sequence: Sequence;
}

/** Column names by table, as {@link columnKey} writes them. */
export type ColumnKeys = ReadonlySet<string>;

export function columnKey({ schema, name }: QualifiedName, column: string): string {
  return JSON.stringify([schema, name, column]);
}

/**
 * Adds the largest value of each column that a sequence fills. It is in no catalog, so it is asked of the tables, only
 * where an index answers at once. What cannot be had stays unknown.
 *
 * @param keysOf tells which columns are asked for; not called where no sequence fills any
 */
export async function withMaxima(
  connection: Connection,
  schema: Schema,
  keysOf: () => ColumnKeys,
): Promise<Schema> {
  const filled = filledBySequence(schema);
  if (filled.length === 0) return schema;
  const keys = keysOf();
  const wanted = filled.filter(({ table, column }) => keys.has(columnKey(table, column.name)));
  const sequences: Sequences = new Map();
  for (let first = 0; first < wanted.length; first += COLUMNS_A_QUERY)
    await readMaxima(connection, wanted.slice(first, first + COLUMNS_A_QUERY), sequences);
  const withMaximum = (column: Column): Column => {
    const sequence = sequences.get(column);
    return sequence ? { ...column, sequence } : column;
  };
  return {
    ...schema,
    tables: schema.tables.map((table) => ({ ...table, columns: table.columns.map(withMaximum) })),
  };
}

function filledBySequence({ tables }: Schema): Filled[] {
  const filled: Filled[] = [];
  for (const table of tables)
    for (const column of table.hidesRows ? [] : table.columns)
      if (column.sequence) filled.push({ table, column, sequence: column.sequence });
  return filled;
}

/**
 * A sequence has moved on since it was read with the catalog, if rows are being inserted. So it is read once more, and
 * after the rows: whatever they hold, it has passed.
 */
async function readMaxima(
  connection: Connection,
  wanted: readonly Filled[],
  sequences: Sequences,
): Promise<void> {
  const maxima = wanted.map(
    ({ table, column }, i) =>
      `(select ${i} as i, max(${quoteIdentifier(column.name)})::text as maximum from ${quoteQualified(table)})`,
  );
  const values = wanted.map(
    ({ sequence }, i) =>
      `select ${i} as i, (pg_sequence_last_value(${quoteLiteral(quoteQualified(sequence))}::regclass) + ${sequence.increment})::text as next`,
  );
  try {
    const sql = `begin read only; ${LIMITS}; ${maxima.join(' union all ')}; ${values.join(' union all ')}; commit`;
    const results = (await connection.query(sql)) as Result[];
    const [ofRows = [], ofSequences = []] = results.slice(-3, -1).map(({ rows }) => rows);
    const next = new Map(ofSequences.map((row) => [Number(row['i']), row['next'] as string | null]));
    for (const row of ofRows) {
      const i = Number(row['i']);
      const { column, sequence } = wanted[i] ?? {};
      if (!column || !sequence) continue;
      const maximum = row['maximum'] as string | null;
      sequences.set(column, { ...sequence, maximum, next: next.get(i) ?? sequence.next });
    }
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback');
  }
}
