import { sqlStateOf } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import { assertReadable, journalTablesIn } from './journal-relations.js';
import { isoTime, journalTable } from './journal-tables.js';
import type { RunRecord } from './records.js';

/**
 * The latest runs, newest first. A run that never ended is interrupted, unless a healer is at work: then the newest one
 * is its.
 */
export async function readHistory(
  connection: Connection,
  schema: string,
  limit: number,
  healerAtWork: boolean,
): Promise<RunRecord[]> {
  const journal = await journalTablesIn(connection, schema);
  if (!journal.has('run')) return [];
  assertReadable(schema, journal);
  const name = quoteIdentifier(schema);
  const sql = `select r.id::text, r.trigger, r.host, r.pid, r.version, r.desired_hash as "desiredHash",
      ${isoTime('r.started_at')} as "startedAt", ${isoTime('r.finished_at')} as "finishedAt",
      coalesce(r.outcome, case when $2 and r.id = max(r.id) over () then 'running' else 'interrupted' end) as outcome,
      r.error,
      coalesce((select json_agg(json_build_object('object', s.object, 'action', s.action, 'sql', s.sql, 'lock', s.lock,
        'durationMs', s.duration_ms, 'outcome', s.outcome, 'error', s.error) order by s.id)
        from ${name}.step s where s.run_id = r.id), '[]') as steps
    from ${name}.run r order by r.id desc limit $1`;
  return queryRows<RunRecord>(connection, sql, [limit, healerAtWork]);
}

/** Where the run goes on that began since a time; null where none does, or this role may not know. */
export async function hostOfRun(
  connection: Connection,
  schema: string,
  since: string,
): Promise<string | null> {
  const sql = `select host from ${journalTable(schema, 'run')}
    where finished_at is null and started_at >= $1::timestamptz order by id desc limit 1`;
  const rows = await queryRows<{ host: string }>(connection, sql, [since]).catch((error: unknown) => {
    if (sqlStateOf(error) === undefined) throw error;
    return [];
  });
  return rows[0]?.host ?? null;
}
