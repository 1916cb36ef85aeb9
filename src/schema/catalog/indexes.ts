import { isWorkedOn, type CatalogQuery } from './query.js';
import type { Index } from '../model.js';

export interface IndexRow extends Index {
  readonly table: number;
}

/**
 * pg_get_indexdef prints CREATE [UNIQUE] INDEX name ON [ONLY] schema.table USING …; names may hold anything, ' USING '
 * too, so the head is measured, not searched for.
 */
const head = `length('CREATE INDEX  ON ' || quote_ident(i.relname) ||
      case when x.indisunique then 'UNIQUE ' else '' end ||
      case when c.relkind = 'p' then 'ONLY ' else '' end ||
      quote_ident(c.relname) || ' ') + length(place.name || '.')`;

/** The temporary schema goes by its alias, but in older versions by its name. */
const place = `(select case when s.oid = pg_my_temp_schema() and pg_get_indexdef(i.oid) ~ ' ON (ONLY )?pg_temp[.]'
      then 'pg_temp' else quote_ident(s.name) end)`;

/** Storage parameters are no drift. They stand last but for the predicate. */
const withoutStorage = `case when i.reloptions is null then definition
      else regexp_replace(definition, ' WITH \\([^)]*\\)(?= WHERE |$)', '') end`;

export const indexes: CatalogQuery<IndexRow> = {
  sql: `select x.indrelid as table, i.relname as name, x.indisunique as unique,
    ${withoutStorage} as definition,
    case when x.indisunique
      then array(select pg_get_indexdef(i.oid, k, false) from generate_series(1, x.indnkeyatts) k)
      else '{}' end as "uniqueKeys",
    pg_get_expr(x.indpred, x.indrelid) as predicate,
    x.indisvalid and x.indisready and x.indislive as valid,
    p.pid is not null or not x.indisvalid and ${isWorkedOn('x.indrelid')} as "inProgress"
  from scope s
  join pg_class c on c.relnamespace = s.oid and c.relkind in ('r', 'p', 'm') and not c.relispartition
  join pg_index x on x.indrelid = c.oid
  join pg_class i on i.oid = x.indexrelid
  left join pg_stat_progress_create_index p on p.index_relid = i.oid
  cross join lateral ${place} place(name)
  cross join lateral substr(pg_get_indexdef(i.oid), 1 + ${head}) definition
  where not exists (
    select from pg_constraint o where o.conindid = i.oid and o.contype in ('p', 'u', 'x') and o.conrelid = c.oid)
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
