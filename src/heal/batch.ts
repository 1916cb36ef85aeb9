import { conditionOf, enclosed, type Fill } from '../drift/fill.js';
import { notePosition, type FillPosition } from '../journal/fills.js';
import type { Connection, Result } from '../schema/connection.js';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { setWording } from '../schema/wording.js';

/** A table that holds rows of its own: the one to fill, or a partition or child of it. */
export interface FillTarget {
  /** As it stands in statements. */
  readonly name: string;
  /** What its rows are met by, in order: the primary key, or where they lie. */
  readonly keys: readonly { readonly column: string; readonly type: string }[];
  /** The server's estimate. */
  readonly rows: number;
  /** Foreign keys may point to the column, so that changing it conflicts with those who hold the row for theirs. */
  readonly isKey: boolean;
}

/** Each table that has rows of the one to fill; none where it is not there. */
export async function readTargets(connection: Connection, { table, column }: Fill): Promise<FillTarget[]> {
  const sql = `with recursive tree as (
      select to_regclass(${quoteLiteral(quoteQualified(table))})::oid as oid
      union select i.inhrelid from pg_inherits i join tree on i.inhparent = tree.oid)
    select format('%I.%I', n.nspname, c.relname) as name, greatest(c.reltuples, 0)::float8 as rows,
      coalesce((select json_agg(json_build_object('column', format('%I', a.attname),
          'type', format_type(a.atttypid, a.atttypmod)) order by k.position)
        from pg_index x cross join unnest(x.indkey) with ordinality k(attnum, position)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where x.indrelid = c.oid and x.indisprimary and x.indisvalid and k.position <= x.indnkeyatts),
        '[{"column": "ctid", "type": "tid"}]') as keys,
      exists (select from pg_index x join pg_attribute a on a.attrelid = c.oid and a.attnum = any (x.indkey)
        where x.indrelid = c.oid and x.indisunique and a.attname = ${quoteLiteral(column)}) as "isKey"
    from tree join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' order by 1`;
  // Types are named as they can be read under any search path.
  const results = (await connection.query(
    `begin read only; ${setWording('transaction')}; ${sql}; commit`,
  )) as Result[];
  return (results.at(-2)?.rows ?? []) as unknown as FillTarget[];
}

/** The rows between two keys. */
export interface Window {
  readonly after: readonly string[] | null;
  readonly to: readonly string[];
}

/** The key of the last of the next rows, and how many they are. No row where there are none. */
export function nextRows({ name, keys }: FillTarget, after: readonly string[] | null, size: number): string {
  const columns = keys.map(({ column }, i) => `${column} as k${i}`).join(', ');
  const names = keys.map((_, i) => `k${i}`);
  // By where they lie they come in order, and sorting would read the whole table.
  const order = keys.some(({ type }) => type === 'tid')
    ? ''
    : `order by ${keys.map(({ column }) => column).join(', ')}`;
  const condition = after === null ? '' : `where ${compare(keys, '>', after)}`;
  return `with rows as materialized (select ${columns} from only ${name} ${condition} ${order} limit ${size})
    select json_build_array(${names.map((key) => `${key}::text`).join(', ')}) as key, (select count(*)::int from rows) as rows
    from rows order by ${names.map((key) => `${key} desc`).join(', ')} limit 1`;
}

/**
 * Fills the rows of a window that are nobody else's at the moment, and notes it. What others have changed meanwhile is
 * looked at anew by PostgreSQL, so that no value is overwritten.
 */
export function fillRows(
  fill: Fill,
  target: FillTarget,
  window: Window,
  journalSchema: string,
  position: FillPosition,
): string {
  const { column, from, where } = rowsIn(fill, target, window);
  const value = fill.expression === null ? 'default' : enclosed(fill.expression);
  const filled = `(select count(*) from auto_migration_filled where not is_null)`;
  return `with auto_migration_locked as materialized (
      select ctid from ${from} where ${where} for ${target.isKey ? 'update' : 'no key update'} skip locked
    ), auto_migration_filled as (
      update ${from} set ${column} = ${value}
      where ctid = any (array(select ctid from auto_migration_locked)) and ${column} is null
      returning ${column} is null as is_null
    ), auto_migration_noted as (
      ${notePosition(journalSchema, fill, position, filled)}
    )
    select ${filled}::int as rows`;
}

/** What is left of a window that was filled: somebody else's rows, or changed back by a trigger. */
export function countLeft(fill: Fill, target: FillTarget, window: Window): string {
  const { from, where } = rowsIn(fill, target, window);
  return `select count(*)::int as rows from ${from} where ${where}`;
}

/** The rows of a window that are to be filled and get a value, by the name that the application has for their table. */
function rowsIn(
  fill: Fill,
  target: FillTarget,
  window: Window,
): { readonly column: string; readonly from: string; readonly where: string } {
  const column = quoteIdentifier(fill.column);
  const conditions = [
    ...(window.after === null ? [] : [compare(target.keys, '>', window.after)]),
    compare(target.keys, '<=', window.to),
    conditionOf(fill, column),
    ...(fill.expression === null ? [] : [`${enclosed(fill.expression)} is not null`]),
  ];
  const from = `only ${target.name} as ${quoteIdentifier(fill.table.name)}`;
  return { column, from, where: conditions.join(' and ') };
}

function compare(keys: FillTarget['keys'], operator: '>' | '<=', values: readonly string[]): string {
  const literals = keys.map(({ type }, i) => `${quoteLiteral(values[i] ?? '')}::${type}`);
  return `(${keys.map(({ column }) => column).join(', ')}) ${operator} (${literals.join(', ')})`;
}

/** A row's key for people: `id = 7`. */
export function describeKey({ keys }: FillTarget, values: readonly string[]): string {
  return keys.map(({ column }, i) => `${column} = ${values[i]}`).join(', ');
}
