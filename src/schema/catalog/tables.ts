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

export const tables: CatalogQuery<TableRow> = {
  sql: `select r.oid, r.schema, r.name, r.kind::text as relkind, d.description as comment,
    pg_has_role(r.owner, 'USAGE') as owned,
    r.secured and row_security_active(r.oid) or r.inherited and exists (
      select from pg_inherits i where i.inhparent = r.oid and row_security_active(i.inhrelid)) as "hidesRows"
  from relation r
  left join pg_description d on d.objoid = r.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
  where ${notFromExtension('pg_class', 'r.oid')}
  -- Views in the order of their making: none builds on a later one.
  order by r.kind in ('v', 'm'), case when r.kind in ('v', 'm') then r.oid end, 2, 3`,
};
