import { describeError, InvalidOptionError, JournalError, SqlState, sqlStateOf } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { displayName, quoteIdentifier, quoteLiteral } from '../schema/identifier.js';

/** The columns and keys of each table, in an order in which they can be made. A new table is a new line here. */
const DEFINITIONS = {
  run: () => `
    id bigint generated always as identity primary key,
    trigger text not null,
    host text not null,
    pid integer not null,
    version text not null,
    desired_hash text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    error text`,
  step: (schema: string) => `
    id bigint generated always as identity primary key,
    run_id bigint not null references ${schema}.run (id) on delete cascade,
    object text not null,
    action text not null,
    sql text not null,
    lock text not null,
    started_at timestamptz not null default clock_timestamp(),
    duration_ms double precision,
    outcome text not null,
    error text`,
  desired: () => `
    hash text,
    part integer,
    content text not null,
    checksum text,
    remembered_at timestamptz not null default clock_timestamp(),
    primary key (hash, part)`,
  not_converging: () => `
    drift_id text primary key,
    object text not null,
    desired text,
    actual text,
    noticed_at timestamptz not null default clock_timestamp()`,
  data_fix: () => `
    id text primary key,
    run_id bigint not null,
    host text not null,
    pid integer not null,
    attempts integer not null default 1,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    outcome text not null,
    error text`,
  claim: () => `
    id bigint generated always as identity primary key,
    desired_hash text not null,
    version text not null,
    tables text[] not null,
    claimed_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp()`,
  fill: () => `
    id text primary key,
    schema_name text not null,
    table_name text not null,
    column_name text not null,
    expression text,
    condition text,
    state text not null,
    position jsonb,
    filled bigint not null default 0,
    failed bigint not null default 0,
    sample_keys text[] not null default '{}',
    error text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz`,
  finding: (schema: string) => `
    step_id bigint primary key references ${schema}.step (id) on delete cascade,
    kind text not null,
    table_schema text,
    table_name text,
    actual text,
    former_default text`,
  undo: (schema: string) => `
    step_id bigint primary key references ${schema}.step (id) on delete cascade,
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    done_at timestamptz,
    run_id bigint,
    refusal text`,
  pin: () => `
    object text not null,
    wanted text[],
    run_id bigint not null,
    asked_by text not null,
    pinned_at timestamptz not null default clock_timestamp()`,
  approval: () => `
    id bigint generated always as identity primary key,
    drift_id text not null,
    kind text not null,
    object text not null,
    desired text,
    actual text,
    sql text[] not null,
    loss jsonb not null,
    approved_by text not null,
    approved_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz,
    run_id bigint,
    voided_at timestamptz,
    void_reason text`,
} satisfies Record<string, (schema: string) => string>;

export type JournalTable = keyof typeof DEFINITIONS;

export const JOURNAL_TABLES = Object.keys(DEFINITIONS) as readonly JournalTable[];

const INDEXES: Partial<Record<JournalTable, (schema: string) => string>> = {
  step: (schema) => `create index step_run_id on ${schema}.step (run_id)`,
  approval: (schema) =>
    `create index approval_open on ${schema}.approval (drift_id) where used_at is null and voided_at is null`,
};

/** A time in ISO 8601, whatever the session's DateStyle. */
export function isoTime(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** A table's name as it stands in statements. */
export function journalTable(schema: string, table: JournalTable): string {
  return `${quoteIdentifier(schema)}.${table}`;
}

/** What a table of ours says of itself. */
const COMMENT = 'Journal of nestjs-auto-migration';

/** A table of the journal that is there. */
export interface JournalRelation {
  readonly name: JournalTable;
  readonly columns: readonly string[];
  /** By this role. */
  readonly mayBeRead: boolean;
  readonly mayBeWritten: boolean;
}

type Journal = ReadonlyMap<JournalTable, JournalRelation>;

/** Some of it is told by several of its tables: it is read as a whole, or not at all. */
export function mayRead(journal: Journal): boolean {
  return [...journal.values()].every(({ mayBeRead }) => mayBeRead);
}

const OWN_JOURNAL = 'or a journal of its own: option "journalSchema"';

/** Why the role cannot see what stands in the journal, and what it needs. */
export function describeUnread(schema: string): string {
  return `The journal in schema "${schema}" was not read, so approvals, undos and other releases are not known: the role needs USAGE on that schema and SELECT on its tables, ${OWN_JOURNAL}`;
}

/** @throws JournalError when the role may not read what is there */
export function assertReadable(schema: string, journal: Journal): void {
  if (!mayRead(journal)) throw new JournalError(`${describeUnread(schema)}.`);
}

/** @throws JournalError when the role may not write to what is there */
export function assertWritable(schema: string, journal: Journal): void {
  if ([...journal.values()].every(({ mayBeWritten }) => mayBeWritten)) return;
  throw new JournalError(
    `Cannot write to the journal in schema "${schema}": the role needs USAGE on that schema and SELECT, INSERT, UPDATE and DELETE on its tables, ${OWN_JOURNAL}. Nothing was changed.`,
  );
}

/**
 * Which of the journal's tables are there: none before the first run, fewer after an older version's.
 *
 * @throws InvalidOptionError where the application has a table, a view … of such a name there
 */
export async function journalTablesIn(connection: Connection, schema: string): Promise<Journal> {
  const has = (right: string): string => `has_table_privilege(c.oid, '${right}')`;
  const sql = `select c.relname as name, c.relkind as kind, obj_description(c.oid, 'pg_class') as comment,
      has_schema_privilege(c.relnamespace, 'USAGE') and ${has('SELECT')} as "mayBeRead",
      has_schema_privilege(c.relnamespace, 'USAGE') and ${WRITING.map(has).join(' and ')} as "mayBeWritten",
      array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
    from pg_class c where c.relnamespace = to_regnamespace(${quoteLiteral(quoteIdentifier(schema))})
      and c.relname in (${JOURNAL_TABLES.map(quoteLiteral).join(', ')})`;
  const found = await queryRows<JournalRelation & { kind: string; comment: string | null }>(connection, sql);
  for (const { name, kind, columns, comment } of found)
    if (kind !== 'r' || comment !== COMMENT) assertOurs({ schema, name, columns });
  return new Map(found.map((relation) => [relation.name, relation]));
}

const WRITING = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/**
 * A table in the journal's place has to be the journal's: it would be written to, or its columns be taken for ours.
 *
 * @throws InvalidOptionError where it is the application's, as its columns tell
 */
export function assertOurs({
  schema,
  name,
  columns,
}: {
  readonly schema: string;
  readonly name: JournalTable;
  readonly columns: readonly string[];
}): void {
  const lacking = columnsOf(name).filter((column) => !columns.includes(column));
  if (lacking.length === 0) return;
  throw new InvalidOptionError(
    'journalSchema',
    `'${schema}' cannot hold the journal, as ${displayName(schema, name)} is there and is not the journal's: it has no ${lacking.slice(0, 3).join(', ')}. It was left as it is, and nothing was compared or changed. Name a schema that holds nothing else, such as the default 'auto_migration'.`,
  );
}

/** How a line begins that is no column. */
const CONSTRAINTS = ['primary', 'unique', 'check', 'foreign', 'constraint'];

function columnsOf(table: JournalTable): string[] {
  const lines = DEFINITIONS[table]('').split('\n').slice(1);
  return lines.map(firstWord).filter((word) => !CONSTRAINTS.includes(word));
}

/** As a newer version has them; each has to be NULL in the rows that are there, or to have a default. */
function addLacking(schema: string, table: JournalTable, columns: readonly string[]): string[] {
  const lacking = columnsOf(table).filter((column) => !columns.includes(column));
  const definitions = DEFINITIONS[table](schema)
    .split('\n')
    .map((line) => line.trim().replace(/,$/, ''));
  return definitions
    .filter((line) => lacking.includes(firstWord(line)))
    .map((line) => `alter table ${schema}.${table} add column ${line}`);
}

function firstWord(line: string): string {
  return line.trim().split(' ', 1)[0] ?? '';
}

/**
 * Makes the journal's tables, and columns of them, where they are missing. Only the one healer calls it, so two processes never race for them
 * (CREATE … IF NOT EXISTS alone would not keep them from it).
 */
export async function ensureJournal(connection: Connection, schema: string): Promise<void> {
  const there = await journalTablesIn(connection, schema);
  assertWritable(schema, there);
  const statements = statementsFor(quoteIdentifier(schema), there);
  if (statements.length === 0) return;
  try {
    await run(connection, inOwnSchema(quoteIdentifier(schema), statements));
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

function statementsFor(schema: string, there: Journal): string[] {
  return JOURNAL_TABLES.flatMap((table) => {
    const relation = there.get(table);
    if (relation) return addLacking(schema, table, relation.columns);
    const index = INDEXES[table]?.(schema);
    const create = `create table ${schema}.${table} (${DEFINITIONS[table](schema)});
comment on table ${schema}.${table} is ${quoteLiteral(COMMENT)}`;
    return index === undefined ? [create] : [create, index];
  });
}

function inOwnSchema(name: string, statements: readonly string[]): string {
  return `begin;
do $$ begin
  -- IF NOT EXISTS needs CREATE on the database even where the schema is there.
  if to_regnamespace(${quoteLiteral(name)}) is null then
    create schema ${name};
    comment on schema ${name} is 'What nestjs-auto-migration did to this database';
  end if;
end $$;
${statements.join(';\n')};
commit`;
}
