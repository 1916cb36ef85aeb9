import { notFromExtension, type CatalogQuery } from './query.js';

export interface ViewRow {
  readonly table: number;
  readonly definition: string;
}

/** The SELECTs of views, as PostgreSQL prints them. */
export const views: CatalogQuery<ViewRow> = {
  sql: `select r.oid as table, pg_get_viewdef(r.oid) as definition
  from relation r
  where r.kind in ('v', 'm') and ${notFromExtension('pg_class', 'r.oid')}`,
};
