import { fillId, type Fill, type FillRecord } from '../drift/fill.js';
import type { FillMark } from '../plan/step.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
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

/** The column of that number, as it is called now. */
const COLUMN_NOW = `left join lateral (
    select json_build_object('schema', n.nspname, 'name', c.relname) as "table", a.attname::text as "column"
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attrelid = f.relation and a.attnum = f.attribute and not a.attisdropped) now on true`;

const NAMES = `json_build_object('schema', f.schema_name, 'name', f.table_name)`;

/**
 * Fills of columns that are there, by the ids that they have under the present names. A column is known by its number, as
 * names come and go. In a database that was restored from a dump the numbers are others; that of the journal itself tells.
 */
export function fillsIn(schema: string): Reading<ReadonlyMap<string, FillRecord>> {
  // A look comes before the healing that adds the numbers to an older version's journal.
  const sql = `select case when f.is_numbered then now."table" else ${NAMES} end as "table",
      case when f.is_numbered then now."column" else f.column_name end as "column",
      f.expression, f.condition as "where", f.state, f.failed::int, f.sample_keys as "sampleKeys", f.error,
      coalesce(f.finished_at > now() - interval '${RETRY_AFTER}', false) as "isRecent"
    from (select g.*, j.*, coalesce(j.journal = g.tableoid, false) as is_numbered
      from (select id, schema_name, table_name, column_name, expression, condition, state, failed, sample_keys, error,
          finished_at, tableoid, to_jsonb(whole) as facts from ${journalTable(schema, 'fill')} whole) g
      cross join lateral jsonb_to_record(g.facts) j (relation oid, attribute smallint, journal oid)) f
    ${COLUMN_NOW} where not f.is_numbered or now."column" is not null
    order by f.state = 'done' desc, f.state = 'swept' desc`;
  const toValue = (rows: readonly Omit<FillRecord, 'id'>[]): Map<string, FillRecord> =>
    new Map(rows.map((row) => [fillId(row), { ...row, id: fillId(row) }]));
  return { sql, toValue };
}

/** A column by its names, with its numbers. */
const COLUMNS = `select n.nspname, c.relname, a.attname, a.attrelid, a.attnum from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped`;

type Row = Pick<FillRecord, 'id' | 'expression' | 'where'> &
  (
    | { readonly table: QualifiedName; readonly column: string }
    | { readonly table: null; readonly column: null }
  );

/**
 * Brings what is written down in line with what columns are called by now, whoever has renamed them, so that it can be
 * gone on with. What is about a column that is gone is forgotten.
 */
export async function followRenames(connection: Connection, schema: string): Promise<void> {
  const journal = journalTable(schema, 'fill');
  const rows = await queryRows<Row>(
    connection,
    `select f.id, now."table", now."column", f.expression, f.condition as "where" from ${journal} f ${COLUMN_NOW}
      where f.journal = f.tableoid and (now."column" is null or now."column" <> f.column_name
        or now."table" ->> 'name' <> f.table_name or now."table" ->> 'schema' <> f.schema_name)`,
  );
  // A name may be another row's until that has its new one.
  for (const { id, column } of rows)
    await connection.query(
      column === null
        ? `delete from ${journal} where id = $1`
        : `update ${journal} set id = 'renamed ' || id where id = $1`,
      [id],
    );
  for (const { id, table, column, expression, where } of rows) {
    if (table === null) continue;
    const now = fillId({ table, column, expression, where });
    // Of two rows about one column and expression one is too many; it must not stop every healing from now on.
    await connection.query(`delete from ${journal} where id = $1`, [now]);
    // A position names the table: a sweep that was going on begins anew, and meets only what is still NULL.
    await connection.query(
      `update ${journal} set id = $2, schema_name = $3, table_name = $4, column_name = $5, position = null where id = $1`,
      [`renamed ${id}`, now, table.schema, table.name, column],
    );
  }
}

/** Writes the numbers of columns beside their names: in a journal of an older version, and in one that was restored. */
export async function numberFills(connection: Connection, schema: string): Promise<void> {
  await connection.query(
    `update ${journalTable(schema, 'fill')} f set journal = f.tableoid, relation = a.attrelid, attribute = a.attnum
      from (${COLUMNS}) a where f.journal is distinct from f.tableoid
        and a.nspname = f.schema_name and a.relname = f.table_name and a.attname = f.column_name`,
  );
}

/** Writes down in the transaction that is open that a fill begins anew, or that it is done. */
export async function markFill(connection: Connection, schema: string, mark: FillMark): Promise<void> {
  const { table, column, expression, where } = mark.fill;
  const isPending = mark.state === 'pending';
  await connection.query(
    `insert into ${journalTable(schema, 'fill')} as f
       (id, schema_name, table_name, column_name, expression, condition, state, finished_at, journal, relation, attribute)
     select $1, $2::text, $3::text, $4::text, $5, $6, $7, case when not $8 then clock_timestamp() end,
         ${quoteLiteral(journalTable(schema, 'fill'))}::regclass, a.attrelid, a.attnum
       from (${COLUMNS}) a where a.nspname = $2::text and a.relname = $3::text and a.attname = $4::text
     on conflict (id) do update set journal = excluded.journal, relation = excluded.relation, attribute = excluded.attribute,
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
  const sql = `update ${journalTable(schema, 'fill')} set position = $2, failed = failed + $5, error = $4,
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
