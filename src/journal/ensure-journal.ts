import { describeError, JournalError, SqlState, sqlStateOf } from '../errors.js';
import { run, type Connection } from '../schema/connection.js';
import { quoteIdentifier, quoteLiteral } from '../schema/identifier.js';
import { assertWritable, journalTablesIn, type JournalRelations } from './journal-relations.js';
import { addLackingColumns, createJournalTable, JOURNAL_TABLES } from './journal-tables.js';

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

function statementsFor(schema: string, there: JournalRelations): string[] {
  return JOURNAL_TABLES.flatMap((table) => {
    const relation = there.get(table);
    return relation ? addLackingColumns(schema, table, relation.columns) : createJournalTable(schema, table);
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
