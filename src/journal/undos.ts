import type { UndoRequest } from '../drift/undo-request.js';
import type { AppliedRecord } from '../plan/undo-run.js';
import type { Undoing } from '../plan/step.js';
import { redact } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { AS_RECORD, recordsOf } from './done-steps.js';
import { DONE, journalTable, type JournalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/** What a run has done, or may have done before it died; undefined where there is no run of that id. */
export async function readAppliedSteps(
  connection: Connection,
  schema: string,
  runId: string,
): Promise<AppliedRecord[] | undefined> {
  const table = (name: JournalTable): string => journalTable(schema, name);
  const runs = `select from ${table('run')} where id::text = $1`;
  if ((await queryRows(connection, runs, [runId])).length === 0) return undefined;
  const ids = `select id from ${table('step')} where run_id::text = $1 and outcome in (${DONE})`;
  const sql = `${recordsOf(schema, ids)}
    select ${AS_RECORD},
      exists (select from ${table('undo')} u where u.step_id = record.id and u.run_id is not null) as "isUndone"
    from record order by record.id`;
  return queryRows<AppliedRecord>(connection, sql, [runId]);
}

/** What is still to be taken back, the latest step first. */
export function undosIn(schema: string): Reading<readonly UndoRequest[]> {
  const open = `${journalTable(schema, 'undo')} u where u.done_at is null and u.expires_at > clock_timestamp()`;
  const sql = `${recordsOf(schema, `select u.step_id from ${open}`)}
    select ${AS_RECORD}, open.by, open.refusal from record
    join (select u.step_id, u.asked_by as by, to_jsonb(u) ->> 'refusal' as refusal from ${open}) open on open.step_id = record.id
    where record.kind is not null order by record.id desc`;
  return { sql, toValue: (rows: readonly UndoRequest[]) => rows };
}

/** Writes down that somebody wants steps to be taken back. */
export async function askForUndo(
  connection: Connection,
  schema: string,
  steps: readonly AppliedRecord[],
  { by, ttlMs }: { readonly by: string; readonly ttlMs: number },
): Promise<void> {
  const sql = `insert into ${journalTable(schema, 'undo')} (step_id, asked_by, expires_at)
    select id, $2, clock_timestamp() + make_interval(secs => $3::float8 / 1000) from unnest($1::bigint[]) id
    on conflict (step_id) do update
      set asked_by = excluded.asked_by, asked_at = clock_timestamp(), expires_at = excluded.expires_at, done_at = null,
        refusal = null`;
  await connection.query(sql, [steps.map(({ stepId }) => stepId), by, ttlMs]);
}

export async function undoIsDone(
  connection: Connection,
  schema: string,
  { stepId }: Undoing,
  runId: string,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'undo')} set done_at = clock_timestamp(), run_id = $2 where step_id = $1`;
  await connection.query(sql, [stepId, runId]);
}

/** PostgreSQL has refused it: no healing tries it again, until somebody asks for it once more or approves it. */
export async function noteRefusedUndo(
  connection: Connection,
  schema: string,
  { stepId }: Undoing,
  refusal: string,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'undo')} set refusal = $2 where step_id = $1`;
  await connection.query(sql, [stepId, redact(refusal)]);
}

/** There is nothing to be taken back now: what comes under the same name later is taken back only if somebody asks again. */
export async function closeUndos(
  connection: Connection,
  schema: string,
  stepIds: readonly string[],
): Promise<void> {
  if (stepIds.length === 0) return;
  const sql = `update ${journalTable(schema, 'undo')} set done_at = clock_timestamp()
    where step_id = any ($1::bigint[]) and done_at is null`;
  await connection.query(sql, [stepIds]);
}
