import type { CatalogQuery } from './query.js';
import type { Column, Sequence } from '../model.js';

export interface ColumnRow {
  readonly table: number;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly expression: string | null;
  readonly volatile: boolean;
  readonly owned: boolean;
  readonly attidentity: '' | 'a' | 'd';
  readonly attgenerated: '' | 's' | 'v';
  readonly collation: string | null;
  readonly comment: string | null;
}

/**
 * Whether an expression is volatile is in no catalog column; the functions that it calls are in its node tree, and
 * pg_proc knows each one's volatility. (pg_depend would not do: it has no rows for built-in functions.) It takes a third
 * of the query's time and is only asked of columns that may have to be added, those of a shadow.
 */
const isVolatile = `coalesce(r.actual <> r.schema and ad.adbin::text like '%funcid%' and exists (
      select from regexp_matches(ad.adbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') call
      join pg_proc p on p.oid = call[1]::oid
      where p.provolatile = 'v'), false)`;

/**
 * A serial: the default depends on a sequence that in turn is owned by the column. A value, as for EXISTS the
 * dependencies of the whole database would be read into a hash table.
 */
const ownsItsSequence = `coalesce(starts_with(printed.expression, 'nextval(') and (
      select true from pg_depend uses
      join pg_depend owns on owns.classid = 'pg_class'::regclass and owns.objid = uses.refobjid
        and owns.deptype = 'a'
      where uses.classid = 'pg_attrdef'::regclass and uses.objid = ad.oid
        and uses.refclassid = 'pg_class'::regclass
        and owns.refclassid = 'pg_class'::regclass
        and owns.refobjid = a.attrelid and owns.refobjsubid = a.attnum
      limit 1), false)`;

/**
 * A default names no column, and so is printed without its table; with it, a new session took a third longer for the columns
 * of 1,000 tables. https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG
 */
const expression = `pg_get_expr(ad.adbin, case when a.attgenerated = '' then 0 else ad.adrelid end)`;

export const columns: CatalogQuery<ColumnRow> = {
  sql: `select a.attrelid as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull as "notNull", printed.expression,
    ${isVolatile} as volatile,
    ${ownsItsSequence} as owned,
    a.attidentity::text, a.attgenerated::text,
    case when a.attcollation <> t.typcollation then format('%I.%I', cn.nspname, co.collname) end as collation,
    d.description as comment
  from relation r
  join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
  left join pg_collation co on co.oid = a.attcollation
  left join pg_namespace cn on cn.oid = co.collnamespace
  left join pg_description d on d.objoid = a.attrelid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
  cross join lateral (select ${expression} offset 0) printed(expression)
  where r.kind <> 'f'
  order by a.attrelid, a.attnum`,
};

const IDENTITIES = { '': null, a: 'always', d: 'by default' } as const;
const GENERATED = { '': null, s: 'stored', v: 'virtual' } as const;

export function toColumn(
  row: ColumnRow,
  rename: (text: string) => string,
  sequence: Sequence | null,
): Column {
  // Only a bare nextval is a serial: nextval(…) * 10 is an expression like any other.
  const serial = row.owned && /^nextval\('(?:[^']|'')+'::regclass\)$/.test(row.expression ?? '');
  return {
    name: row.name,
    type: rename(row.type),
    notNull: row.notNull,
    expression: row.expression === null || serial ? null : rename(row.expression),
    volatile: row.volatile,
    serial,
    identity: IDENTITIES[row.attidentity],
    generated: GENERATED[row.attgenerated],
    collation: row.collation,
    comment: row.comment,
    sequence,
  };
}
