import { InvalidOptionError } from '../errors.js';
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
    desired_hash text,
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
    relation oid,
    attribute smallint,
    numbered_in text,
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
    desired text,
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
    id bigint generated always as identity primary key,
    object text not null,
    table_schema text,
    table_name text,
    kind text,
    desired text,
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
    void_reason text,
    dropping oid`,
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

/** Outcomes of steps, as a list: a process that died may have done what it was at. */
export const DONE = `'applied', 'running'`;

/** A list of texts as it stands in statements. */
export function literals(texts: readonly string[]): string {
  return texts.map(quoteLiteral).join(', ');
}

/** A table's name as it stands in statements. */
export function journalTable(schema: string, table: JournalTable): string {
  return `${quoteIdentifier(schema)}.${table}`;
}

/** What a table of ours says of itself. */
export const JOURNAL_COMMENT = 'Journal of nestjs-auto-migration';

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

/** What makes a table, by the quoted name of its schema. */
export function createJournalTable(schema: string, table: JournalTable): string[] {
  const index = INDEXES[table]?.(schema);
  const create = `create table ${schema}.${table} (${DEFINITIONS[table](schema)});
comment on table ${schema}.${table} is ${quoteLiteral(JOURNAL_COMMENT)}`;
  return index === undefined ? [create] : [create, index];
}

/**
 * What adds the columns that a table of an older version lacks; each has to be NULL in the rows that are there, or to have a
 * default.
 */
export function addLackingColumns(schema: string, table: JournalTable, columns: readonly string[]): string[] {
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
