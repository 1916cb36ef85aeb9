import { conditionOf, enclosed, hasValue, isJoined, type Fill } from '../drift/fill.js';
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
  /** Where a sweep ends: the key of the row that was the last one when it began. */
  readonly last?: readonly string[];
}

/** Whether its rows have no key, so that each one moves when it is updated. */
export function isMetWhereItLies({ keys }: FillTarget): boolean {
  return keys.some(({ type }) => type === 'tid');
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
        where x.indrelid = c.oid and x.indisprimary and x.indisvalid and k.position <= x.indnkeyatts
          -- Other types' operators are found in a search path, where text's may be in their place.
          and not exists (select from unnest(x.indclass) used(oid) join pg_opclass o on o.oid = used.oid
            where o.opcnamespace <> 'pg_catalog'::regnamespace)),
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

/** How a batch went. */
export interface Batch {
  /** The key of its last row; null where there were no more rows. */
  readonly key: readonly string[] | null;
  /** How many rows it met. */
  readonly met: number;
  /** Those of them that were NULL. */
  readonly empty: number;
  /** Those of them that have a value to get and that nobody else holds; with `wait` those that were updated. */
  readonly locked: number;
  readonly filled: number;
  /** How long the server took, with all triggers. Neither the way there counts nor the commit: fewer rows make them no less. */
  readonly ms: number;
}

/** What to do about rows that others hold. To lock those first that nobody holds makes up a quarter of a batch. */
export type Held = 'skip' | 'wait';

/**
 * Meets the next rows, fills them, and notes how far it has come. Rows are read once, and what others have changed since
 * is looked at once more, so that no value is overwritten.
 */
export function fillRows(
  fill: Fill,
  target: FillTarget,
  from: FillPosition,
  size: number,
  held: Held,
  journalSchema: string,
): string {
  const { column, table } = rowsOf(fill, target);
  const value = fill.expression === null ? 'default' : enclosed(fill.expression);
  const count = (of: string): string => `(select count(*) from ${of})`;
  const filled = count('auto_migration_filled where not is_null');
  const isMet = [
    ...(from.after === null ? [] : [compare(target.keys, '>', from.after)]),
    `(${target.keys.map((key) => key.column).join(', ')}) <= (select * from auto_migration_bound)`,
  ].join(' and ');
  // A condition that is to be a join has been asked before.
  const isAsked = isJoined(fill);
  const isMeant = isAsked ? `${isMet} and ctid in (select row from auto_migration_meant)` : isMet;
  const source = isAsked ? 'auto_migration_meant' : 'auto_migration_met where is_empty';
  const meant = `auto_migration_meant as materialized (
      select ctid as row from ${table} where ctid = any (array(select row from auto_migration_met where is_empty))
        and ${conditionOf(fill, column)}), `;
  const empty = `where ctid = any (array(select row from ${source}))
        and ${hasValue(isAsked ? { ...fill, where: null } : fill, column, isMeant)}`;
  const lock = `select ctid as row from ${table} ${empty}
    for ${target.isKey ? 'update' : 'no key update'} skip locked`;
  const chosen =
    held === 'wait'
      ? empty
      : `where ctid = any (array(select row from auto_migration_locked)) and ${column} is null`;
  const position = {
    relation: quoteLiteral(from.relation),
    after: '(select key from auto_migration_last)',
    met: `${from.met} + ${count('auto_migration_met')}`,
  };
  return `with auto_migration_met as materialized (
      ${nextRows(target, from.after, size, `ctid as row, ${column} is null as is_empty`)}
    ), auto_migration_bound as materialized (
      ${lastRow(target, 'auto_migration_met')}
    ), auto_migration_last as (
      select ${keyOf(target)} as key from auto_migration_bound
    ), ${isAsked ? meant : ''}${held === 'skip' ? `auto_migration_locked as materialized (${lock}), ` : ''}auto_migration_filled as (
      update ${table} set ${column} = ${value} ${chosen} returning ${column} is null as is_null
    ), auto_migration_noted as (
      ${notePosition(journalSchema, fill, position, filled)} and exists (select from auto_migration_last)
    )
    select (select key from auto_migration_last), ${count('auto_migration_met')}::int as met,
      ${count('auto_migration_met where is_empty')}::int as empty,
      ${count(`auto_migration_${held === 'wait' ? 'filled' : 'locked'}`)}::int as locked,
      ${filled}::int as filled`;
}

/**
 * What ends a batch, in one message with it, so that its time is that of both: triggers run after its rows have been
 * counted, and what is deferred would run with the commit.
 */
export const BATCH_ENDS = `set constraints all immediate;
  select (1000 * extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp()))::float8 as ms`;

/** The key of the next row, if there is one. */
export function nextKey(target: FillTarget, after: readonly string[] | null): string {
  return `with met as materialized (${nextRows(target, after, 1)}) ${lastKey(target, 'met')}`;
}

/** What rows are ordered by is qualified by it: a bare name would be that of a column of ours, where it is called alike. */
const ROWS = 'auto_migration_rows';

/** The key of the last row by now; where rows lie, the end of their table. */
export function keyOfLast(target: FillTarget): string {
  const { name, keys } = target;
  if (isMetWhereItLies(target))
    return `select json_build_array(format('(%s,0)', ${blocksOf(target)})) as key`;
  const texts = keys.map(({ column }) => `${column}::text`).join(', ');
  const order = keys.map(({ column }) => `${ROWS}.${column} desc`).join(', ');
  return `select json_build_array(${texts}) as key from only ${name} as ${ROWS} order by ${order} limit 1`;
}

/** Rows with their keys as k0, k1, … in the order in which they are met. */
function nextRows(target: FillTarget, after: readonly string[] | null, size: number, further = ''): string {
  const { name, keys, last } = target;
  const columns = [...keys.map(({ column }, i) => `${column} as k${i}`), further].filter(Boolean).join(', ');
  // By where they lie they come in order, and sorting would read the whole table.
  const order = isMetWhereItLies(target)
    ? ''
    : `order by ${keys.map(({ column }) => `${ROWS}.${column}`).join(', ')}`;
  const bounds = [
    ...(after === null ? [] : [compare(keys, '>', after)]),
    ...(last ? [compare(keys, '<=', last)] : []),
  ];
  const condition = bounds.length === 0 ? '' : `where ${bounds.join(' and ')}`;
  return `select ${columns} from only ${name} as ${ROWS} ${condition} ${order} limit ${size}`;
}

function lastKey(target: FillTarget, rows: string): string {
  return `select ${keyOf(target)} as key from (${lastRow(target, rows)}) auto_migration_bound`;
}

function lastRow({ keys }: FillTarget, rows: string): string {
  const names = keys.map((_, i) => `k${i}`);
  const order = names.map((name) => `${name} desc`).join(', ');
  return `select ${names.join(', ')} from ${rows} order by ${order} limit 1`;
}

/** Of a row of keys. */
function keyOf({ keys }: FillTarget): string {
  return `json_build_array(${keys.map((_, i) => `k${i}::text`).join(', ')})`;
}

/** Rows that have no value after they were filled, and the key of one of them. */
export interface Left {
  readonly key: readonly string[] | null;
  readonly rows: number;
}

/**
 * Those between two keys.
 *
 * @param to null for the end of the table
 */
export function findLeft(
  fill: Fill,
  target: FillTarget,
  after: readonly string[] | null,
  to: readonly string[] | null,
): string {
  const { keys } = target;
  const bounds = [
    ...(after === null ? [] : [compare(keys, '>', after)]),
    ...(to === null ? [] : [compare(keys, '<=', to)]),
  ].join(' and ');
  const columns = keys.map((key, i) => `${key.column} as k${i}`).join(', ');
  return `with auto_migration_left as materialized (select ${columns} from ${rowsWithValue(fill, target, bounds)})
    select (${lastKey(target, 'auto_migration_left')}) as key, (select count(*) from auto_migration_left)::int as rows`;
}

/**
 * Whether any row is left among those that lie in some blocks of the table: far cheaper than meeting them in the order of
 * their keys, and as short.
 */
export function isAnyLeft(fill: Fill, target: FillTarget, from: number, to: number): string {
  const range = `ctid >= '(${from},0)' and ctid < '(${to},0)'`;
  return `select exists (select from ${rowsWithValue(fill, target, range)}) as left,
    ${blocksOf(target)} as blocks`;
}

function blocksOf({ name }: FillTarget): string {
  return `pg_catalog.pg_relation_size(${quoteLiteral(name)}::pg_catalog.regclass) / current_setting('block_size')::int`;
}

/** The rows, by the name that the application has for their table. */
function rowsOf(fill: Fill, target: FillTarget): { readonly column: string; readonly table: string } {
  const table = `only ${target.name} as ${quoteIdentifier(fill.table.name)}`;
  return { column: quoteIdentifier(fill.column), table };
}

/**
 * Those within bounds that get a value, as they stand behind FROM. OFFSET keeps what it is for apart from what is asked of
 * the rows that are left, where the one is to be a join.
 */
function rowsWithValue(fill: Fill, target: FillTarget, bounds: string): string {
  const { column, table } = rowsOf(fill, target);
  const within = bounds === '' ? '' : `${bounds} and `;
  if (!isJoined(fill)) return `${table} where ${within}${hasValue(fill, column, bounds || undefined)}`;
  const isMeant = `${quoteIdentifier(fill.table.name)}.ctid = auto_migration_row`;
  const value = fill.expression === null ? 'true' : `${enclosed(fill.expression)} is not null`;
  return `(select ctid as auto_migration_row from ${table} where ${within}${conditionOf(fill, column)} offset 0) auto_migration_meant,
    ${table} where ${isMeant} and case when ${isMeant} then ${value} end`;
}

function compare(keys: FillTarget['keys'], operator: '>' | '<=', values: readonly string[]): string {
  const literals = keys.map(({ type }, i) => `${quoteLiteral(values[i] ?? '')}::${type}`);
  return `(${keys.map(({ column }) => column).join(', ')}) ${operator} (${literals.join(', ')})`;
}

/** A row's key for people: `id = 7`. */
export function describeKey({ keys }: FillTarget, values: readonly string[]): string {
  return keys.map(({ column }, i) => `${column} = ${values[i]}`).join(', ');
}
