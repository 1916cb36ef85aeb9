import type { Connection } from '../../src/schema/connection.js';
import type { Schema, Table } from '../../src/schema/model.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../src/schema/identifier.js';
import { queryRows } from '../../src/schema/connection.js';
import type { FaultCase } from './fault-cases.mjs';

/** What has to be the same, however the healing came to its end. */
export interface State {
  readonly schema: Schema;
  readonly rows: readonly unknown[];
  /** What has a name of ours, or is not valid, in the application's schemas. */
  readonly leftOver: readonly unknown[];
  readonly journal: readonly unknown[];
}

/** Beside the cases' own: TypeORM counts its migrations by a sequence, which leaves out numbers. */
const VOLATILE: Record<string, readonly string[]> = { migrations: ['id'] };

export async function readState(connection: Connection, cases: readonly FaultCase[]): Promise<State> {
  const scope = ['public', 'annex'].map((name) => ({ actual: name, reportedAs: name }));
  const schema = await readSchema(connection, scope);
  const volatile = {
    ...VOLATILE,
    ...Object.fromEntries(cases.map((each) => [each.table, each.volatile ?? []])),
  };
  const queries = schema.tables.map((table) => rowsOf(table, volatile[table.name] ?? []));
  const rows = await queryRows(connection, `${queries.join(' union all ')} order by 1`);
  return {
    schema: {
      ...schema,
      fingerprint: null,
      tables: schema.tables.map((table) => withoutNumbers(table, volatile)),
    },
    rows,
    leftOver: await queryRows(connection, LEFT_OVER),
    journal: await queryRows(connection, JOURNAL),
  };
}

/** A number that a transaction drew is gone when it is rolled back. */
function withoutNumbers(table: Table, volatile: Readonly<Record<string, readonly string[]>>): Table {
  const columns = table.columns.map((column) =>
    column.sequence && volatile[table.name]?.includes(column.name)
      ? { ...column, sequence: { ...column.sequence, next: '' } }
      : column,
  );
  return { ...table, columns };
}

/** What differs from run to run is only counted: how many there are, and how many different ones. */
function rowsOf(table: Schema['tables'][number], volatile: readonly string[]): string {
  const counts = volatile.map(
    (column) => `count(${quoteIdentifier(column)}), count(distinct ${quoteIdentifier(column)})`,
  );
  const left = `to_jsonb(t) - array[${['padding', ...volatile].map(quoteLiteral).join(', ')}]`;
  return `select ${quoteLiteral(table.name)} as "table", count(*)::int as rows,
      jsonb_agg(${left} order by ${left}) as content, jsonb_build_array(${counts.join(', ')}) as volatile
    from ${quoteQualified(table)} t`;
}

const LEFT_OVER = `
  select relname::text as name from pg_class
    where relnamespace in ('public'::regnamespace, to_regnamespace('annex')) and relname like 'auto\\_migration\\_%'
  union all select conname from pg_constraint where conname like 'auto\\_migration\\_%' or not convalidated
  union all select tgname from pg_trigger where tgname like 'auto\\_migration%'
  union all select indexrelid::regclass::text from pg_index where not indisvalid
  union all select nspname from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('public', 'annex', 'auto_migration', 'information_schema')`;

/** Each fill is done, each fix applied and each approval used, in as many rows as there are of them. */
const JOURNAL = `
  select table_name || '.' || column_name as name, state from auto_migration.fill
  union all select id, outcome from auto_migration.data_fix
  union all select drift_id, (used_at is not null)::text from auto_migration.approval order by 1`;
