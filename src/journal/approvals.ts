import { redact } from '../errors.js';
import type { Approval, MeasuredLoss } from '../plan/approval.js';
import type { Drift } from '../plan/plan.js';
import type { QualifiedName } from '../schema/model.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { isoTime, journalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/**
 * It can still be used: nobody has, or whoever has died before the index was gone that it was to drop outside any
 * transaction. Older journals have no such column. The statement names it, as somebody may have renamed it and made another
 * of its name, and in a journal that was restored its number is somebody else's.
 */
const HOLDS = `voided_at is null and expires_at > clock_timestamp() and (used_at is null or exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = (to_jsonb(given) ->> 'dropping')::oid and strpos(given.sql[1], concat(
      '"', replace(n.nspname, '"', '""'), '"."', replace(c.relname, '"', '""'), '"')) > 0))`;

const AS_APPROVAL = `id::text, drift_id as "driftId", object, approved_by as "by",
  ${isoTime('approved_at')} as at, ${isoTime('expires_at')} as "expiresAt", loss`;

/** By the ids of their findings. */
export interface GivenApprovals {
  /** Those that hold. */
  readonly approvals: ReadonlyMap<string, Approval>;
  /** Why the latest ones do not that were found void. */
  readonly voided: ReadonlyMap<string, string>;
}

export function approvalsIn(schema: string): Reading<GivenApprovals> {
  // By the number, where a bare id would be the text of it that is selected: '9' comes after '10'.
  const sql = `select distinct on (drift_id) ${AS_APPROVAL}, ${HOLDS} as holds, void_reason as reason
    from ${journalTable(schema, 'approval')} given where expires_at > clock_timestamp()
    order by drift_id, given.id desc`;
  const toValue = (latest: readonly LatestApproval[]): GivenApprovals => {
    const approvals = new Map<string, Approval>();
    const voided = new Map<string, string>();
    for (const { holds, reason, ...approval } of latest)
      if (holds) approvals.set(approval.driftId, approval);
      else if (reason !== null) voided.set(approval.driftId, reason);
    return { approvals, voided };
  };
  return { sql, toValue };
}

type LatestApproval = Approval & { readonly holds: boolean; readonly reason: string | null };

/** The numbers of the approvals of these findings that were used. */
export async function usedApprovals(
  connection: Connection,
  schema: string,
  driftIds: readonly string[],
): Promise<string[]> {
  const sql = `select id::text from ${journalTable(schema, 'approval')} where drift_id = any($1) and used_at is not null`;
  return (await queryRows<{ id: string }>(connection, sql, [driftIds])).map(({ id }) => id);
}

/** Who approves a finding, and what he has seen of it. */
export interface GivenApproval {
  readonly by: string;
  readonly ttlMs: number;
  readonly loss: readonly MeasuredLoss[];
  /** The approvals of the finding that had been used before he looked. */
  readonly usedBefore: readonly string[];
}

/**
 * Writes down that somebody approves a finding. Takes the place of an earlier approval of the same.
 *
 * @returns undefined where an earlier one was used since he looked: what he has seen is done, and an approval would be for
 *   what may come back
 */
export async function writeApproval(
  connection: Connection,
  schema: string,
  drift: Drift,
  given: GivenApproval,
): Promise<Approval | undefined> {
  const table = journalTable(schema, 'approval');
  // A statement of its own: it waits for whoever is using one of them, even one that has expired by now, and what comes
  // next sees that he has.
  await queryRows(
    connection,
    `update ${table} set voided_at = clock_timestamp(), void_reason = 'approved again'
    where drift_id = $1 and used_at is null and voided_at is null`,
    [drift.id],
  );
  const { id, kind, object, desired, actual, sql } = drift;
  const insert = `insert into ${table} (drift_id, kind, object, desired, actual, sql, loss, approved_by, expires_at)
    select $1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9::float8 / 1000)
    where not exists (
      select from ${table} where drift_id = $1 and used_at is not null and id <> all ($10::bigint[]))
    returning ${AS_APPROVAL}`;
  const loss = JSON.stringify(given.loss);
  const values = [id, kind, object, desired, actual, [...sql], loss, given.by, given.ttlMs, given.usedBefore];
  const [row] = await queryRows<Approval>(connection, insert, values);
  return row;
}

/**
 * Uses an approval up, once: in a transaction that is open together with whatever else happens there. Two who have
 * approved the same in one moment have approved it once.
 *
 * @param dropping the index that is to be dropped outside any transaction: until it is gone the approval holds
 * @returns whether it held; whoever else is about to use it is waited for
 */
export async function useApproval(
  connection: Connection,
  schema: string,
  { id }: Approval,
  runId: string,
  dropping: QualifiedName | null = null,
): Promise<boolean> {
  const table = journalTable(schema, 'approval');
  const sql = `with used as (
      update ${table} given set used_at = clock_timestamp(), run_id = $2, dropping = to_regclass($3)
      where id = $1 and ${HOLDS} returning drift_id
    ), others as (
      update ${table} given set voided_at = clock_timestamp(), void_reason = 'another approval of the same was used'
      where drift_id in (select drift_id from used) and id <> $1 and ${HOLDS})
    select from used`;
  const values = [id, runId, dropping && quoteQualified(dropping)];
  return (await queryRows(connection, sql, values)).length > 0;
}

/** What was approved once more while it was being done outside any transaction is done. */
export async function voidOthers(
  connection: Connection,
  schema: string,
  { id, driftId }: Approval,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'approval')}
    set voided_at = clock_timestamp(), void_reason = 'another approval of the same was used'
    where drift_id = $2 and id <> $1 and used_at is null and voided_at is null`;
  await connection.query(sql, [id, driftId]);
}

/** What it was used for has failed outside any transaction: it holds again. */
export async function giveBackApproval(
  connection: Connection,
  schema: string,
  { id }: Approval,
  runId: string,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'approval')} set used_at = null, run_id = null, dropping = null where id = $1 and run_id = $2`;
  await connection.query(sql, [id, runId]);
}

/** It does not hold any more, although nobody has used it. Whoever is using it is not waited for. */
export async function voidApproval(
  connection: Connection,
  schema: string,
  { id }: Approval,
  reason: string,
): Promise<void> {
  const table = journalTable(schema, 'approval');
  const sql = `update ${table} set voided_at = clock_timestamp(), void_reason = $2
    where id in (select id from ${table} given where id = $1 and ${HOLDS} for update skip locked)`;
  await connection.query(sql, [id, redact(reason)]);
}

/**
 * SQL that is true where anything is approved, or to be undone, and not done yet: what no fingerprint of the catalog shows.
 *
 * @param isKept the journal's tables were there at the last look; where they were not, it is true once they are
 */
export function isDecided(schema: string, isKept: boolean): string {
  const [approval, undo] = [journalTable(schema, 'approval'), journalTable(schema, 'undo')];
  if (!isKept) return `pg_catalog.to_regclass(${quoteLiteral(approval)}) is not null`;
  return `(exists (select from ${approval} given where ${HOLDS})
    or exists (select from ${undo} where done_at is null and expires_at > clock_timestamp()))`;
}
