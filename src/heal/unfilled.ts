import { conditionOf, declaredFill, enclosed, fillId } from '../drift/fill.js';
import { run, type Connection, type Result } from '../schema/connection.js';
import { SEE_ALL_ROWS } from '../schema/limits.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { setApplicationWording } from '../schema/wording.js';

/** Looking must not become a load, nor queue behind somebody's change. */
const LIMITS = `${SEE_ALL_ROWS}; set local lock_timeout = '200ms'; set local statement_timeout = '5s'`;

/** The ids of the fills among these columns that are repeated and find rows to fill. */
export async function readUnfilled(
  connection: Connection,
  columns: readonly { readonly table: QualifiedName; readonly column: Column }[],
): Promise<Set<string>> {
  const unfilled = new Set<string>();
  for (const { table, column } of columns) {
    if (column.backfill?.repeat !== 'every-run') continue;
    const fill = declaredFill(table, column.name, column.backfill);
    const condition = `${conditionOf(fill, quoteIdentifier(fill.column))} and ${enclosed(column.backfill.expression)} is not null`;
    if (await findsRow(connection, table, condition)) unfilled.add(fillId(fill));
  }
  return unfilled;
}

/**
 * Looks as the application would, in whose words the condition is written. What cannot be told counts as found: the fill
 * then meets the reason, and it is reported.
 */
async function findsRow(connection: Connection, table: QualifiedName, condition: string): Promise<boolean> {
  const select = `select exists (select from ${quoteQualified(table)} where ${condition}) as found`;
  try {
    const wording = setApplicationWording(table.schema);
    const sql = `begin read only; ${LIMITS}; ${wording}; ${select}; commit`;
    const results = (await connection.query(sql)) as Result[];
    return results.at(-2)?.rows[0]?.['found'] === true;
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback');
    return true;
  }
}
