import { describeError, JournalError, SqlState, sqlStateOf } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { quoteIdentifier, quoteLiteral } from '../schema/identifier.js';

export const JOURNAL_TABLES = ['run', 'step', 'desired'] as const;

/** Whether the journal has ever been written. */
export async function journalExists(connection: Connection, schema: string): Promise<boolean> {
  const regclass = quoteLiteral(`${quoteIdentifier(schema)}.desired`);
  const [row] = await queryRows<{ exists: boolean }>(
    connection,
    `select to_regclass(${regclass}) is not null as exists`,
  );
  return row?.exists === true;
}

/**
 * Makes the journal's tables where they are missing. Only the one healer calls it, so two processes never race for them
 * (CREATE … IF NOT EXISTS alone would not keep them from it).
 */
export async function ensureJournal(connection: Connection, schema: string): Promise<void> {
  if (await journalExists(connection, schema)) return;
  try {
    await run(connection, definition(quoteIdentifier(schema)));
  } catch (error) {
    await run(connection, 'rollback');
    const needs =
      sqlStateOf(error) === SqlState.insufficientPrivilege
        ? ` The role needs CREATE on the database, or an existing schema of its own: option "journalSchema".`
        : '';
    throw new JournalError(
      `Cannot make the journal in schema "${schema}": ${describeError(error)}. Nothing was changed.${needs}`,
    );
  }
}

function definition(schema: string): string {
  return `begin;
do $$ begin
  -- IF NOT EXISTS needs CREATE on the database even where the schema is there.
  if to_regnamespace(${quoteLiteral(schema)}) is null then
    create schema ${schema};
    comment on schema ${schema} is 'What nestjs-auto-migration did to this database';
  end if;
end $$;
create table if not exists ${schema}.run (
  id bigint generated always as identity primary key,
  trigger text not null,
  host text not null,
  pid integer not null,
  version text not null,
  desired_hash text not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome text,
  error text
);
create table if not exists ${schema}.step (
  id bigint generated always as identity primary key,
  run_id bigint not null references ${schema}.run (id) on delete cascade,
  object text not null,
  action text not null,
  sql text not null,
  lock text not null,
  started_at timestamptz not null default clock_timestamp(),
  duration_ms double precision,
  outcome text not null,
  error text
);
create table if not exists ${schema}.desired (
  hash text,
  part integer,
  content text not null,
  checksum text,
  remembered_at timestamptz not null default clock_timestamp(),
  primary key (hash, part)
);
create index if not exists step_run_id on ${schema}.step (run_id);
commit`;
}
