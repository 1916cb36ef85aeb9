import { fillId, type Fill, type FillRecord } from '../drift/fill.js';
import type { FillMark } from '../plan/step.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import { COLUMN_NOW, COLUMNS, fillsWithNumbers, isNumberedHere, placeOf } from './fill-columns.js';
import { journalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/** How far a fill has come. */
export interface FillPosition {
  /** The table or partition that it is at, as SQL. */
  readonly relation: string;
  /** The key of the last row that was met there; null at its beginning. */
  readonly after: readonly string[] | null;
  /** The rows met so far in this sweep, of all partitions. */
  readonly met: number;
}

/** Rows that were refused are not tried again for this long. */
const RETRY_AFTER = '1 hour';

/**
 * Fills of columns that are there, by the ids that they have under the present names. A column is known by its number, as
 * names come and go; where the numbers are those of another database, by its names.
 */
export function fillsIn(connection: Connection, schema: string): Reading<ReadonlyMap<string, FillRecord>> {
  const names = `json_build_object('schema', f.schema_name, 'name', f.table_name)`;
  const sql = `select case when f."isNumbered" then now."table" else ${names} end as "table",
      case when f."isNumbered" then now."column" else f.column_name end as "column",
      f.expression, f.condition as "where", f.state, f.failed::int, f.sample_keys as "sampleKeys", f.error,
      coalesce(f.finished_at > now() - interval '${RETRY_AFTER}', false) as "isRecent"
    from ${fillsWithNumbers(connection, schema)} ${COLUMN_NOW}
    where not f."isNumbered" or now."column" is not null
    order by f.state = 'done' desc, f.state = 'swept' desc`;
  const toValue = (rows: readonly Omit<FillRecord, 'id'>[]): Map<string, FillRecord> =>
    new Map(rows.map((row) => [fillId(row), { ...row, id: fillId(row) }]));
  return { sql, toValue };
}

/** Writes down in the transaction that is open that a fill begins anew, or that it is done. */
export async function markFill(connection: Connection, schema: string, mark: FillMark): Promise<void> {
  const { table, column, expression, where } = mark.fill;
  const isPending = mark.state === 'pending';
  await connection.query(
    `insert into ${journalTable(schema, 'fill')} as f
       (id, schema_name, table_name, column_name, expression, condition, state, finished_at, numbered_in, relation, attribute)
     select $1, $2::text, $3::text, $4::text, $5, $6, $7, case when not $8 then clock_timestamp() end,
         ${placeOf(connection, `${quoteLiteral(journalTable(schema, 'fill'))}::regclass::oid`)}, a.attrelid, a.attnum
       from (${COLUMNS}) a where a.nspname = $2::text and a.relname = $3::text and a.attname = $4::text
     on conflict (id) do update set numbered_in = case when ${isNumberedHere(connection, 'f.numbered_in', 'f.tableoid')} then f.numbered_in else excluded.numbered_in end,
       relation = excluded.relation, attribute = excluded.attribute,
       state = excluded.state, position = null, failed = 0, sample_keys = '{}', error = null,
       filled = case when $8 and f.state <> 'swept' then 0 else f.filled end,
       started_at = case when $8 and f.state <> 'swept' then clock_timestamp() else f.started_at end, finished_at = excluded.finished_at`,
    [fillId(mark.fill), table.schema, table.name, column, expression, where, mark.state, isPending],
  );
}

/** Where the sweep that a run has left is to go on; null at the beginning of one. Begins the fill where it has to be. */
export async function resumeFill(
  connection: Connection,
  schema: string,
  fill: Fill,
): Promise<FillPosition | null> {
  const sql = `select position from ${journalTable(schema, 'fill')} where id = $1 and state = 'pending'`;
  const [row] = await queryRows<{ position: FillPosition | null }>(connection, sql, [fillId(fill)]);
  if (!row) await markFill(connection, schema, { fill, state: 'pending' });
  return row?.position ?? null;
}

/** A new sweep: what the last one has counted as refused is met again. */
export async function beginSweep(connection: Connection, schema: string, fill: Fill): Promise<void> {
  const sql = `update ${journalTable(schema, 'fill')}
    set position = null, failed = 0, sample_keys = '{}', error = null, finished_at = null where id = $1`;
  await connection.query(sql, [fillId(fill)]);
}

/** SQL for the batch's own transaction: where it ended and how many rows it has filled, all of them expressions. */
export function notePosition(
  schema: string,
  fill: Fill,
  { relation, after, met }: Readonly<Record<keyof FillPosition, string>>,
  filled: string,
): string {
  return `update ${journalTable(schema, 'fill')}
    set position = jsonb_build_object('relation', ${relation}, 'after', ${after}, 'met', ${met}), filled = filled + ${filled}
    where id = '${fillId(fill)}'`;
}

/** More keys of rows that were refused would not tell more. */
const SAMPLES = 10;

/** Rows were refused: they are counted, and left as they are. */
export async function noteRefusal(
  connection: Connection,
  schema: string,
  fill: Fill,
  refusal: {
    readonly position: FillPosition;
    /** Of one of them. */
    readonly key: string;
    readonly rows: number;
    readonly error: string;
  },
): Promise<void> {
  const sql = `update ${journalTable(schema, 'fill')} set position = $2, failed = failed + $5,
    -- Of the row whose key is told first.
    error = case when failed = 0 then $4 else error end,
    sample_keys = case when cardinality(sample_keys) < ${SAMPLES} then sample_keys || $3::text else sample_keys end
    where id = $1`;
  await connection.query(sql, [
    fillId(fill),
    JSON.stringify(refusal.position),
    refusal.key,
    refusal.error,
    refusal.rows,
  ]);
}

/**
 * Rows were refused, so it stays pending.
 *
 * @param left how many they are, and the key of one of them, where that was counted once more
 */
export async function endSweep(
  connection: Connection,
  schema: string,
  fill: Fill,
  left: { readonly failed: number; readonly key: string } | null,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'fill')} set position = null, finished_at = clock_timestamp(),
    failed = coalesce($2, failed), sample_keys = case when $3::text is null then sample_keys else array[$3::text] end where id = $1`;
  await connection.query(sql, [fillId(fill), left?.failed ?? null, left?.key ?? null]);
}
