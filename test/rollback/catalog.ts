/** Columns, constraints, indexes, comments, sequences and views, as texts. */
export const CATALOG = `
  select format('column %s.%s %s%s default %s comment %s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then ' not null' end, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum),
      ' collate ' || nullif(a.attcollation, 0)::regcollation::text) as is
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
  union all select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
    where connamespace = 'public'::regnamespace and contype <> 'n'
  union all select format('view %s %s', viewname, definition) from pg_views where schemaname = 'public'
  union all select format('sequence %s %s', sequencename, data_type) from pg_sequences where schemaname = 'public'
  union all select indexdef from pg_indexes where schemaname = 'public' order by 1`;
