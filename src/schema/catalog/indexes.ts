import { isWorkedOn, type CatalogQuery } from './query.js';
import type { Index } from '../model.js';

export interface IndexRow extends Index {
  readonly table: number;
}

const BTREE = `(select oid from pg_am where amname = 'btree')`;

/** As one number: an array of them is made once, while a set of rows would be joined for each index. */
function pair(operatorClass: string, type: string): string {
  return `(${operatorClass}::int8 << 32 | ${type}::int8)`;
}

/**
 * The operator classes that go without saying, with their types: the default of just that type, without options (5 is their
 * support function), and text's for varchar. What a class for domains, enums or arrays goes without is left to PostgreSQL.
 */
const defaultClasses = `array(
      select ${pair('o.oid', 'o.opcintype')} from pg_opclass o join pg_type t on t.oid = o.opcintype and t.typtype = 'b'
      where o.opcmethod = ${BTREE} and o.opcdefault and not exists (
        select from pg_amproc f where f.amprocfamily = o.opcfamily and f.amproclefttype = o.opcintype and f.amprocnum = 5)
      union all
      select ${pair('o.oid', `'varchar'::regtype`)} from pg_opclass o
      where o.opcmethod = ${BTREE} and o.opcdefault and o.opcintype = 'text'::regtype and not exists (
        select from pg_opclass own
        where own.opcmethod = o.opcmethod and own.opcdefault and own.opcintype = 'varchar'::regtype))`;

/** A key that PostgreSQL prints as the name of a column and nothing else. */
const plainKey = (k: string): string => `(select quote_ident(a.attname) from pg_attribute a
      where a.attrelid = x.indrelid and a.attnum = x.indkey[${k}]
        and a.attcollation = x.indcollation[${k}] and x.indoption[${k}] = 0
        and ${pair(`x.indclass[${k}]`, 'a.atttypid')} = any (${defaultClasses}))`;

/**
 * The keys of an index that is nothing but plain; null for any other. For pg_get_indexdef a new session has to load half
 * a dozen catalog rows one by one, which made a third of the time that reading 1,000 tables took.
 */
const plainKeys = `(select case when array_position(names, null) is null then names end
      from (select case when x.indnkeyatts = 1 then array[${plainKey('0')}]
          else array(select ${plainKey('k')} from generate_series(0, x.indnkeyatts - 1) k) end) of_index(names)
      where i.relam = ${BTREE} and x.indpred is null and x.indnatts = x.indnkeyatts
        -- Since PostgreSQL 15.
        and (to_jsonb(x) ->> 'indnullsnotdistinct') is distinct from 'true')`;

/** The temporary schema goes by its alias, but in older versions by its name. */
const place = `case when r.namespace = pg_my_temp_schema() and pg_get_indexdef(i.oid) ~ ' ON (ONLY )?pg_temp[.]'
      then 'pg_temp' else quote_ident(r.actual) end`;

/**
 * pg_get_indexdef prints CREATE [UNIQUE] INDEX name ON [ONLY] schema.table USING …; names may hold anything, ' USING '
 * too, so the head is measured, not searched for.
 */
const head = `length('CREATE INDEX  ON . ' || quote_ident(i.relname) ||
      case when x.indisunique then 'UNIQUE ' else '' end ||
      case when r.kind = 'p' then 'ONLY ' else '' end ||
      ${place} || quote_ident(r.name))`;

const printed = `substr(pg_get_indexdef(i.oid), 1 + ${head})`;

/** Storage parameters are no drift. They stand last but for the predicate. */
const withoutStorage = `case when i.reloptions is null then ${printed}
      else regexp_replace(${printed}, ' WITH \\([^)]*\\)(?= WHERE |$)', '') end`;

/** An index of a primary key or an exclusion is never without its constraint. */
const isBehindConstraint = `(x.indisprimary or x.indisexclusion or x.indisunique and exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = x.indexrelid and d.objsubid = 0
        and d.refclassid = 'pg_constraint'::regclass and d.deptype = 'i'))`;

export const indexes: CatalogQuery<IndexRow> = {
  sql: `select x.indrelid as table, i.relname as name, x.indisunique as unique,
    case when plain.keys is null then ${withoutStorage}
      else 'USING btree (' || array_to_string(plain.keys, ', ') || ')' end as definition,
    case when not x.indisunique then '{}'
      else coalesce(plain.keys, array(
        select pg_get_indexdef(i.oid, k, false) from generate_series(1, x.indnkeyatts) k)) end as "uniqueKeys",
    pg_get_expr(x.indpred, x.indrelid) as predicate,
    x.indisvalid and x.indisready and x.indislive as valid,
    p.pid is not null or not x.indisvalid and ${isWorkedOn('x.indrelid')} as "inProgress"
  from relation r
  join pg_index x on x.indrelid = r.oid
  join pg_class i on i.oid = x.indexrelid
  left join pg_stat_progress_create_index p on p.index_relid = i.oid
  cross join lateral (select ${plainKeys} offset 0) plain(keys)
  where r.kind in ('r', 'p', 'm') and not ${isBehindConstraint}
  order by 1, 2`,
};

export function toIndex(row: IndexRow, rename: (text: string) => string): Index {
  const { name, unique, valid, inProgress } = row;
  return {
    name,
    unique,
    definition: rename(row.definition),
    uniqueKeys: row.uniqueKeys.map(rename),
    predicate: row.predicate === null ? null : rename(row.predicate),
    valid,
    inProgress,
  };
}
