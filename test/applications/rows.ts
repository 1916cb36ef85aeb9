import type { TestDatabase } from '../setup/database.js';

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly category: string;
  readonly labels: string[] | null;
  readonly limit: number | null;
}

/**
 * Puts two rows into every table. All values of one row are the same as far as their types allow it, so that what points
 * to another table finds its row there. Foreign keys are not asked meanwhile. A check that lists texts gets its first one;
 * a row that another check refuses is left out.
 */
export async function fillTables(database: TestDatabase): Promise<void> {
  const columns = await database.query<ColumnRow>(
    `select c.oid::regclass::text as table, quote_ident(a.attname) as name, format_type(a.atttypid, null) as type,
       t.typcategory::text as category,
       coalesce(
         (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = t.oid),
         (select min(regexp_match(pg_get_constraintdef(k.oid), $$'([^']*)'$$)) from pg_constraint k
          where k.contype = 'c' and k.conrelid = c.oid and k.conkey = array[a.attnum])
       ) as labels,
       case when a.atttypmod > 4 and t.typcategory = 'S' then a.atttypmod - 4 end as limit
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     join pg_type t on t.oid = a.atttypid
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attgenerated = '' and c.relname <> 'migrations'
     order by 1, a.attnum`,
  );
  const tables = groupByTable(columns);
  const inserts = [...tables].flatMap(([table, ofTable]) =>
    [1, 2].map(
      (row) =>
        `do $do$ begin
           insert into ${table} (${ofTable.map(({ name }) => name).join(', ')}) overriding system value
           values (${ofTable.map((column) => valueOf(column, row)).join(', ')}) on conflict do nothing;
         exception when check_violation then null; end $do$`,
    ),
  );
  // In one message, as the setting is the session's.
  await database.query(
    `set session_replication_role = replica; ${inserts.join('; ')}; reset session_replication_role`,
  );
}

function groupByTable<Row extends { readonly table: string }>(columns: readonly Row[]): Map<string, Row[]> {
  const tables = new Map<string, Row[]>();
  for (const column of columns) tables.set(column.table, [...(tables.get(column.table) ?? []), column]);
  return tables;
}

const UUID = '00000000-0000-4000-8000-00000000000';

function valueOf({ type, category, labels, limit }: ColumnRow, row: number): string {
  if (labels) return `'${labels[0]}'`;
  if (category === 'A') return `'{}'`;
  if (category === 'B') return 'true';
  if (category === 'N') return `${row}`;
  if (category === 'D') return `'2026-01-0${row}'`;
  if (category === 'S') return (limit ?? UUID.length + 1) > UUID.length ? `'${UUID}${row}'` : `'${row}'`;
  if (type === 'uuid') return `'${UUID}${row}'`;
  if (type === 'bytea') return `'\\x0${row}'`;
  return type.startsWith('json') ? `'[]'` : 'null';
}

/** All values of each column as text; columns of the same table that are added later are other keys. */
export async function valuesOf(database: TestDatabase): Promise<Record<string, (string | null)[]>> {
  const columns = await database.query<{ table: string; name: string }>(
    `select c.oid::regclass::text as table, quote_ident(a.attname) as name
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1, 2`,
  );
  const values: Record<string, (string | null)[]> = {};
  for (const [table, ofTable] of groupByTable(columns)) {
    const names = ofTable.map(({ name }) => name);
    const rows = await database.query(
      `select ${names.map((name) => `${name}::text`).join(', ')} from ${table} order by ${names.map((_, i) => i + 1).join(', ')}`,
    );
    for (const [i, name] of names.entries())
      values[`${table}.${name}`] = rows.map((row) => Object.values(row)[i] as string | null).toSorted(byText);
  }
  return values;
}

/** NULLs first. */
function byText(a: string | null, b: string | null): number {
  return (a ?? '').localeCompare(b ?? '');
}
