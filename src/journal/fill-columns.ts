import { fillId, type FillRecord } from '../drift/fill.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import type { QualifiedName } from '../schema/model.js';
import { journalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/** The column of that number, as it is called now. */
export const COLUMN_NOW = `left join lateral (
    select json_build_object('schema', n.nspname, 'name', c.relname) as "table", a.attname::text as "column"
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attrelid = f.relation and a.attnum = f.attribute and not a.attisdropped) now on true`;

/** A column by its names, with its numbers. */
export const COLUMNS = `select n.nspname, c.relname, a.attname, a.attrelid, a.attnum from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped`;

const CLUSTER = `(select system_identifier from pg_catalog.pg_control_system())`;
const DATABASE = `(select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`;

/**
 * Where numbers mean what they say, as SQL. A dump takes them along into a database that has others: in a fresh cluster the
 * same ones even come again for other tables, but not the cluster's identifier.
 *
 * @param journal the number of the journal's own table
 */
export function placeOf({ mayIdentifyCluster }: Connection, journal: string): string {
  return `pg_catalog.concat_ws('/', ${mayIdentifyCluster ? CLUSTER : `''`}, ${DATABASE}, ${journal})`;
}

/** SQL that is true where numbers hold. A role that may not ask for the cluster believes, and is believed by, one that may. */
export function isNumberedHere({ mayIdentifyCluster }: Connection, place: string, journal: string): string {
  const here = `pg_catalog.concat_ws('/', ${DATABASE}, ${journal})`;
  const cluster = `pg_catalog.split_part(${place}, '/', 1)`;
  const isThisCluster = mayIdentifyCluster ? ` and ${cluster} in ('', ${CLUSTER}::text)` : '';
  return `coalesce(${place} = ${cluster} || '/' || ${here}${isThisCluster}, false)`;
}

/** What is written down of fills, with numbers and whether they hold. A look comes before an older version's journal has them. */
export function fillsWithNumbers(connection: Connection, schema: string): string {
  return `(select g.*, numbers.*, ${isNumberedHere(connection, 'numbers.numbered_in', 'g.tableoid')} as "isNumbered"
    from (select id, schema_name, table_name, column_name, expression, condition, state, failed, sample_keys, error,
        finished_at, tableoid, to_jsonb(whole) as facts from ${journalTable(schema, 'fill')} whole) g
    cross join lateral jsonb_to_record(g.facts) numbers (relation oid, attribute smallint, numbered_in text)) f`;
}

/** Whether there are columns by names alone: until they have numbers nobody could tell that one was renamed, or replaced. */
export function areFillsToNumber(connection: Connection, schema: string): Reading<boolean> {
  const sql = `select exists (select from ${fillsWithNumbers(connection, schema)} join (${COLUMNS}) a
      on a.nspname = f.schema_name and a.relname = f.table_name and a.attname = f.column_name
    where not f."isNumbered") as "areLeft"`;
  return { sql, toValue: ([row]: readonly { areLeft: boolean }[]) => row?.areLeft === true };
}

/** What is written down about fills is of columns as they are now, whoever has changed them since. */
export async function settleFills(connection: Connection, schema: string): Promise<void> {
  await run(connection, 'begin');
  try {
    await numberFills(connection, schema);
    await followRenames(connection, schema);
    await run(connection, 'commit');
  } catch (error) {
    await run(connection, 'rollback').catch(() => undefined);
    throw error;
  }
}

/** Writes the numbers of columns beside their names: in a journal of an older version, and in one that was restored. */
async function numberFills(connection: Connection, schema: string): Promise<void> {
  const isHere = isNumberedHere(connection, 'f.numbered_in', 'f.tableoid');
  await connection.query(
    `update ${journalTable(schema, 'fill')} f set numbered_in = ${placeOf(connection, 'f.tableoid')}, relation = a.attrelid, attribute = a.attnum
      from (${COLUMNS}) a where not ${isHere}
        and a.nspname = f.schema_name and a.relname = f.table_name and a.attname = f.column_name`,
  );
}

type Row = Pick<FillRecord, 'id' | 'expression' | 'where'> &
  (
    | { readonly table: QualifiedName; readonly column: string }
    | { readonly table: null; readonly column: null }
  );

/**
 * Brings what is written down in line with what columns are called by now, whoever has renamed them, so that it can be
 * gone on with. What is about a column that is gone is forgotten. In the transaction that is open.
 */
export async function followRenames(connection: Connection, schema: string): Promise<void> {
  const journal = journalTable(schema, 'fill');
  const rows = await queryRows<Row>(
    connection,
    `select f.id, now."table", now."column", f.expression, f.condition as "where" from ${journal} f ${COLUMN_NOW}
      where ${isNumberedHere(connection, 'f.numbered_in', 'f.tableoid')} and (now."column" is null or now."column" <> f.column_name
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
