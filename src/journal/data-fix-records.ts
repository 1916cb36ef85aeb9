import { hostname } from 'node:os';
import { redact } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { journalTablesIn } from './journal-relations.js';
import { journalTable } from './journal-tables.js';

/** The ids of the data fixes that have taken effect in this database. */
export async function appliedDataFixes(
  connection: Connection,
  journalSchema: string,
): Promise<ReadonlySet<string>> {
  const records = (await journalTablesIn(connection, journalSchema)).get('data_fix');
  // Whoever may not read them cannot run any either, and is told so by then.
  if (!records?.mayBeRead) return new Set();
  const sql = `select id from ${journalTable(journalSchema, 'data_fix')} where outcome = 'applied'`;
  return new Set((await queryRows<{ id: string }>(connection, sql)).map(({ id }) => id));
}

/** Writes down that a data fix is about to run. A row that stays so tells of a process that died at it. */
export async function dataFixBegins(
  connection: Connection,
  journalSchema: string,
  id: string,
  runId: string,
): Promise<void> {
  const sql = `insert into ${journalTable(journalSchema, 'data_fix')} as f (id, run_id, host, pid, outcome)
    values ($1, $2, $3, $4, 'running')
    on conflict (id) do update set run_id = excluded.run_id, host = excluded.host, pid = excluded.pid,
      outcome = 'running', error = null, attempts = f.attempts + 1, started_at = clock_timestamp(), finished_at = null`;
  await connection.query(sql, [id, runId, hostname(), process.pid]);
}

/**
 * Writes down that it failed, unless it did not: when the answer to a COMMIT is lost, only the row knows. A transaction
 * that still holds the row is waited for.
 *
 * @returns whether it has failed
 */
export async function dataFixFails(
  connection: Connection,
  journalSchema: string,
  id: string,
  error: string,
): Promise<boolean> {
  const sql = `update ${journalTable(journalSchema, 'data_fix')}
    set outcome = 'failed', error = $2, finished_at = clock_timestamp()
    where id = $1 and outcome <> 'applied' returning id`;
  return (await connection.query(sql, [id, redact(error)])).rows.length > 0;
}

/** For the fix's own transaction: whoever else runs it waits here for its end, and then sees how it ended. */
export function lockDataFix(journalSchema: string): string {
  return `select outcome, run_id::text as "runId", pg_backend_pid() as pid
    from ${journalTable(journalSchema, 'data_fix')} where id = $1 for update`;
}

/** For the fix's own transaction: it takes effect together with the record of it, or not at all. */
export function recordDataFix(journalSchema: string): string {
  return `update ${journalTable(journalSchema, 'data_fix')}
    set outcome = 'applied', error = null, finished_at = clock_timestamp() where id = $1`;
}
