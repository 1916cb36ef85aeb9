import { notFromExtension, type CatalogQuery } from './query.js';
import type { Enum } from '../model.js';

export type EnumRow = Enum;

export const enums: CatalogQuery<EnumRow> = {
  sql: `select s.alias as schema, t.typname as name,
    array_agg(e.enumlabel::text order by e.enumsortorder) as values,
    pg_has_role(t.typowner, 'USAGE') as owned
  from scope s
  join pg_type t on t.typnamespace = s.oid
  join pg_enum e on e.enumtypid = t.oid
  where ${notFromExtension('pg_type', 't.oid')}
  group by s.alias, t.typname, t.typowner
  order by 1, 2`,
};
