import { usedApprovals, writeApproval } from '../journal/approvals.js';
import { ensureJournal } from '../journal/ensure-journal.js';
import { assertWritable, journalTablesIn } from '../journal/journal-relations.js';
import type { Approval, MeasuredLoss } from '../plan/approval.js';
import { DECISIONS } from '../plan/consent.js';
import { JournalError } from '../errors.js';
import type { Drift, Plan } from '../plan/plan.js';
import { describeHidden } from '../plan/privileges.js';
import type { Connection } from '../schema/connection.js';
import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import { readAnswers } from '../schema/read-answers.js';
import type { HealContext } from './heal.js';
import { acquireHealerLock } from './healer-lock.js';

/** A finding with the approval that it has got. Plain data. */
export interface ApprovedDrift {
  readonly drift: Drift;
  readonly approval: Approval;
  /** What keeps it from being done all the same; null where nothing does. */
  readonly waits: string | null;
}

/** Plain data. */
export interface ApprovalReport {
  readonly approved: readonly ApprovedDrift[];
  /** What was not approved, and why. */
  readonly refused: readonly {
    readonly id: string;
    readonly object: string | null;
    readonly reason: string;
  }[];
}

export type ApproveContext = Pick<HealContext, 'connect' | 'lookout'> & {
  readonly options: {
    readonly journalSchema: string;
    readonly waitForHealerMs: number;
    readonly approvalTtlMs: number;
  };
};

/**
 * Looks, counts what the findings of these ids would cost, and writes down that somebody approves them. Changes nothing
 * else: the next healing does what was approved.
 *
 * @throws ConnectionError, DataSourceError, DesiredSchemaError, JournalError
 */
export async function approve(
  context: ApproveContext,
  ids: readonly string[],
  by: string,
): Promise<ApprovalReport> {
  const { journalSchema, approvalTtlMs: ttlMs } = context.options;
  const connection = await context.connect();
  try {
    const usedBefore = await usedSoFar(connection, journalSchema, ids);
    const { plan } = await context.lookout.look(connection);
    const approved: ApprovedDrift[] = [];
    const refused: ApprovalReport['refused'][number][] = [];
    for (const id of new Set(ids)) {
      const drift = plan.drift.find((each) => each.id === id);
      const { loss, uncounted } = await measure(connection, plan, id);
      const reason = refusalOf(drift) ?? uncounted;
      if (!drift || reason !== null) {
        refused.push({ id, object: drift?.object ?? null, reason: reason ?? LOCKED });
        continue;
      }
      await ensureTable(context, connection);
      const given = { by, ttlMs, loss, usedBefore };
      const approval = await writeApproval(connection, journalSchema, drift, given);
      if (approval) approved.push({ drift, approval, waits: whatRemains(drift) });
      else refused.push({ id, object: drift.object, reason: DONE });
    }
    return { approved, refused };
  } finally {
    await connection.close();
  }
}

async function usedSoFar(
  connection: Connection,
  journalSchema: string,
  ids: readonly string[],
): Promise<string[]> {
  const journal = await journalTablesIn(connection, journalSchema);
  assertWritable(journalSchema, journal);
  return journal.has('approval') ? usedApprovals(connection, journalSchema, ids) : [];
}

const DONE = 'an earlier approval of the same was used in the meantime; look again whether it is done';
const LOCKED = 'somebody else has the table locked; try again';

/** Why nobody can approve a finding; null where somebody can. */
function refusalOf(drift: Drift | undefined): string | null {
  if (!drift)
    return 'no finding has this id: it is healed, or has changed since and has another one. Look again, with the same --execution as the application';
  const { disposition, approval, sql, hazards, reason } = drift;
  if (approval) return null;
  if (disposition === 'accepted') return 'there is nothing to do: it is the same in another guise';
  if (disposition === 'heal') return 'it needs no approval: the next run heals it';
  if (sql.length === 0) return `no statement would bring it about: ${reason}`;
  if (disposition === 'extra' || hazards.some((kind) => DECISIONS.has(kind))) return null;
  return `an approval would not change that ${reason}`;
}

function whatRemains({ disposition, hazards, reason }: Drift): string | null {
  return disposition !== 'extra' && hazards.some((kind) => !DECISIONS.has(kind)) ? reason : null;
}

interface Measured {
  readonly loss: readonly MeasuredLoss[];
  /** Why it cannot be counted; null where it can. */
  readonly uncounted: string | null;
}

/** However long it takes, as somebody waits for the answer. */
async function measure(connection: Connection, plan: Plan, id: string): Promise<Measured> {
  const units = [...plan.units, ...plan.openUnits, ...plan.extraUnits];
  const losses = units.flatMap(({ drift, loss }) => (loss && drift.id === id ? [loss] : []));
  const counted: MeasuredLoss[] = [];
  for (const { table, measures } of losses) {
    const found = await firstCounted(connection, measures);
    if (!found) return { loss: [], uncounted: await whyUncounted(connection, table) };
    counted.push(found);
  }
  return { loss: counted, uncounted: null };
}

async function whyUncounted(connection: Connection, table: QualifiedName): Promise<string> {
  const question = `select row_security_active(${quoteLiteral(quoteQualified(table))})`;
  const isHidden = (await readAnswers(connection, [question])).get(question) === true;
  return `what it would cost could not be counted: ${isHidden ? describeHidden(table) : LOCKED}`;
}

async function firstCounted(
  connection: Connection,
  measures: readonly { readonly what: string; readonly count: string }[],
): Promise<MeasuredLoss | undefined> {
  for (const { what, count } of measures) {
    const answers = await readAnswers(connection, [count], NO_TIMEOUT);
    const answer = answers.get(count);
    if (typeof answer === 'number') return { what, count: answer };
  }
  return undefined;
}

const NO_TIMEOUT = 0;

/** The journal may be of an older version, or not be there yet. Only the one healer makes its tables. */
async function ensureTable(
  { connect, options: { journalSchema, waitForHealerMs } }: ApproveContext,
  connection: Connection,
): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const journal = await journalTablesIn(connection, journalSchema);
    assertWritable(journalSchema, journal);
    return journal.has('approval');
  };
  if (await isThere()) return;
  const signal = new AbortController().signal;
  const lock = await acquireHealerLock(connect, journalSchema, waitForHealerMs, signal);
  if (!lock) {
    if (await isThere()) return;
    throw new JournalError(
      'The journal has no place for approvals yet, and another process is healing. Nothing was approved; try again once it has ended.',
    );
  }
  try {
    await ensureJournal(connection, journalSchema);
  } finally {
    await lock.release();
  }
}
