import { settledText } from '../../src/schema/settled-text.js';
import type { TestDatabase } from '../setup/database.js';

/**
 * Everything of a database that entities can ask for, as text, read by queries that the product does not use: two
 * databases with equal texts are equal.
 */
export async function catalogOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(`
    set search_path = pg_catalog;
    with spaces as (
      select oid, nspname from pg_namespace
      where nspname !~ '^(pg_|information_schema)' and nspname <> 'auto_migration'
    ), relations as (
      select c.*, s.nspname from pg_class c join spaces s on s.oid = c.relnamespace
      where not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
    )
    select format('%s %s.%s comment=%s', relkind, nspname, relname, obj_description(oid, 'pg_class')) as line
    from relations where relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select format('column %s.%s.%s %s notnull=%s default=%s identity=%s generated=%s collation=%s comment=%s', r.nspname, r.relname,
      a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity,
      a.attgenerated, case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
      col_description(r.oid, a.attnum))
    from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
    where r.relkind in ('r', 'p', 'v', 'm')
    union all
    select format('constraint %s.%s.%s %s', r.nspname, r.relname, o.conname, pg_get_constraintdef(o.oid))
    from relations r join pg_constraint o on o.conrelid = r.oid where o.contype <> 'n'
    union all
    select format('index %s', pg_get_indexdef(i.indexrelid)) from relations r join pg_index i on i.indrelid = r.oid
    union all
    select format('sequence %s.%s %s owned by %s.%s', r.nspname, r.relname, format_type(q.seqtypid, null), d.refobjid::regclass, d.refobjsubid)
    from relations r join pg_sequence q on q.seqrelid = r.oid
    left join pg_depend d on d.objid = r.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    union all
    select format('enum %s.%s %s', s.nspname, t.typname, (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid = t.oid))
    from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype = 'e'
    union all
    select format('view %s.%s %s', nspname, relname, pg_get_viewdef(oid)) from relations where relkind in ('v', 'm')
    union all
    select format('extension %s', extname) from pg_extension
    order by 1`);
  // Carried out a second time PostgreSQL prints some conditions otherwise, and we carry out what it has printed.
  return rows.map(({ line }) => settledText(line)).toSorted();
}

/** TypeORM's notes about generated columns and views, without the database's name. */
export async function notesOf(database: TestDatabase): Promise<string[]> {
  const [found] = await database.query<{ there: boolean }>(
    `select to_regclass('typeorm_metadata') is not null as there`,
  );
  if (!found?.there) return [];
  const rows = await database.query<{ line: string }>(
    `select format('%s|%s|%s|%s|%s', type, schema, "table", name, value) as line from typeorm_metadata order by 1`,
  );
  return rows.map(({ line }) => line);
}
