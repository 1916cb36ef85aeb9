import { conditionOf, declaredFill, fillId, hasValue, type Fill } from '../drift/fill.js';
import { run, type Connection, type Result } from '../schema/connection.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { SEE_ALL_ROWS } from '../schema/limits.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { setApplicationWording } from '../schema/wording.js';

/** Looking must not become a load, nor queue behind somebody's change. In milliseconds. */
const TIMEOUT_MS = 5000;
const LOCK_TIMEOUT_MS = 200;

/** The ids of the fills among these columns that are repeated and find rows to fill. */
export async function readUnfilled(
  connection: Connection,
  columns: readonly { readonly table: QualifiedName; readonly column: Column }[],
): Promise<Set<string>> {
  const unfilled = new Set<string>();
  for (const { table, column } of columns) {
    if (column.backfill?.repeat !== 'every-run') continue;
    const fill = declaredFill(table, column.name, column.backfill);
    if (await findsUnfilled(connection, fill)) unfilled.add(fillId(fill));
  }
  return unfilled;
}

/**
 * Whether a declared fill finds rows that it has a value for.
 *
 * @param timeoutMs 0 for no limit
 */
export async function findsUnfilled(
  connection: Connection,
  fill: Fill,
  timeoutMs = TIMEOUT_MS,
): Promise<boolean> {
  return findsRow(connection, fill.table, hasValue(fill, quoteIdentifier(fill.column)), timeoutMs);
}

/** Whether a fill has left rows without a value that it is for. However long it takes. */
export async function findsNull(connection: Connection, fill: Fill): Promise<boolean> {
  return findsRow(connection, fill.table, conditionOf(fill, quoteIdentifier(fill.column)), 0);
}

/**
 * Looks as the application would, in whose words the condition is written. What cannot be told counts as found: the fill
 * then meets the reason, and it is reported.
 */
async function findsRow(
  connection: Connection,
  table: QualifiedName,
  condition: string,
  timeoutMs: number,
): Promise<boolean> {
  const select = `select exists (select from ${quoteQualified(table)} where ${condition}) as found`;
  const settings = [
    SEE_ALL_ROWS,
    `set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `set local statement_timeout = ${timeoutMs}`,
    setApplicationWording(table.schema),
  ];
  try {
    const results = (await connection.query(
      ['begin read only', ...settings, select, 'commit'].join('; '),
    )) as Result[];
    return results.at(-2)?.rows[0]?.['found'] === true;
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback');
    return true;
  }
}
