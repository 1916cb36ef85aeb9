import { notFromExtension, type CatalogQuery } from './query.js';

export interface ViewRow {
  readonly table: number;
  readonly definition: string;
}

/** The SELECTs of views, as PostgreSQL prints them. */
export const views: CatalogQuery<ViewRow> = {
  sql: `select c.oid as table, pg_get_viewdef(c.oid) as definition
  from scope s
  join pg_class c on c.relnamespace = s.oid and c.relkind in ('v', 'm')
  where ${notFromExtension('pg_class', 'c.oid')}`,
};
