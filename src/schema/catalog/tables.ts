import { notFromExtension, type CatalogQuery } from './query.js';

export interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly relkind: 'r' | 'p' | 'v' | 'm' | 'f';
  readonly comment: string | null;
  readonly owned: boolean;
  readonly hidesRows: boolean;
}

/** Partitions are left out: a partitioned table is compared by its parent. */
export const tables: CatalogQuery<TableRow> = {
  sql: `select c.oid, s.alias as schema, c.relname as name, c.relkind::text, d.description as comment,
    pg_has_role(c.relowner, 'USAGE') as owned,
    row_security_active(c.oid) or c.relhassubclass and exists (
      select from pg_inherits i where i.inhparent = c.oid and row_security_active(i.inhrelid)) as "hidesRows"
  from scope s
  join pg_class c on c.relnamespace = s.oid
  left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and ${notFromExtension('pg_class', 'c.oid')}
  -- Views in the order of their making: none builds on a later one.
  order by c.relkind in ('v', 'm'), case when c.relkind in ('v', 'm') then c.oid end, 2, 3`,
};
