import { JournalError } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteIdentifier, quoteLiteral } from '../schema/identifier.js';
import { assertOurs, JOURNAL_COMMENT, JOURNAL_TABLES, type JournalTable } from './journal-tables.js';

/** A table of the journal that is there. */
export interface JournalRelation {
  readonly name: JournalTable;
  readonly columns: readonly string[];
  /** By this role. */
  readonly mayBeRead: boolean;
  readonly mayBeWritten: boolean;
}

/** Those that are there. */
export type JournalRelations = ReadonlyMap<JournalTable, JournalRelation>;

/** Some of it is told by several of its tables: it is read as a whole, or not at all. */
export function mayRead(journal: JournalRelations): boolean {
  return [...journal.values()].every(({ mayBeRead }) => mayBeRead);
}

const OWN_JOURNAL = 'or a journal of its own: option "journalSchema"';

/** Why the role cannot see what stands in the journal, and what it needs. */
export function describeUnread(schema: string): string {
  return `The journal in schema "${schema}" was not read, so approvals, undos and other releases are not known: the role needs USAGE on that schema and SELECT on its tables, ${OWN_JOURNAL}`;
}

/** @throws JournalError when the role may not read what is there */
export function assertReadable(schema: string, journal: JournalRelations): void {
  if (!mayRead(journal)) throw new JournalError(`${describeUnread(schema)}.`);
}

/** @throws JournalError when the role may not write to what is there */
export function assertWritable(schema: string, journal: JournalRelations): void {
  if ([...journal.values()].every(({ mayBeWritten }) => mayBeWritten)) return;
  throw new JournalError(
    `Cannot write to the journal in schema "${schema}": the role needs USAGE on that schema and SELECT, INSERT, UPDATE and DELETE on its tables, ${OWN_JOURNAL}. Nothing was changed.`,
  );
}

const WRITING = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/**
 * Which of the journal's tables are there: none before the first run, fewer after an older version's.
 *
 * @throws InvalidOptionError where the application has a table, a view … of such a name there
 */
export async function journalTablesIn(connection: Connection, schema: string): Promise<JournalRelations> {
  const has = (right: string): string => `has_table_privilege(c.oid, '${right}')`;
  const sql = `select c.relname as name, c.relkind as kind, obj_description(c.oid, 'pg_class') as comment,
      has_schema_privilege(c.relnamespace, 'USAGE') and ${has('SELECT')} as "mayBeRead",
      has_schema_privilege(c.relnamespace, 'USAGE') and ${WRITING.map(has).join(' and ')} as "mayBeWritten",
      array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
    from pg_class c where c.relnamespace = to_regnamespace(${quoteLiteral(quoteIdentifier(schema))})
      and c.relname in (${JOURNAL_TABLES.map(quoteLiteral).join(', ')})`;
  const found = await queryRows<JournalRelation & { kind: string; comment: string | null }>(connection, sql);
  for (const { name, kind, columns, comment } of found)
    if (kind !== 'r' || comment !== JOURNAL_COMMENT) assertOurs({ schema, name, columns });
  return new Map(found.map((relation) => [relation.name, relation]));
}
