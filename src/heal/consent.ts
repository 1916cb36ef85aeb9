import { describeError, sqlStateOf } from '../errors.js';
import { giveBackApproval, useApproval, voidApproval, voidOthers } from '../journal/approvals.js';
import { pinUndone, unpin } from '../journal/pins.js';
import { noteRefusedUndo, undoIsDone } from '../journal/undos.js';
import { countedOtherwise, describeLoss, growthOf, type Approval } from '../plan/approval.js';
import type { Loss } from '../plan/loss.js';
import type { Plan, PlannedUnit } from '../plan/plan.js';
import type { Count } from '../plan/question.js';
import type { Built, TakenAlong } from '../plan/step.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { isSameName, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { StepFailure, type StepInUnit } from './steps.js';

interface Place {
  readonly journalSchema: string;
  /** Of the journal. */
  readonly runId: string;
}

/** An approval that does not hold for what is there by now. Its unit is rolled back. */
export class ApprovalVoid extends Error {
  constructor(
    readonly approval: Approval,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * Uses up the approval of a unit in the transaction that is open, so that both take effect or neither, and counts once
 * more what it gives up: without an approval that has to be nothing.
 *
 * @throws ApprovalVoid when somebody else has used it, its time is over, or more would be lost than was approved
 * @throws Error when something would be lost that nobody has approved
 */
export async function assertConsent(
  connection: Connection,
  { approval, loss, takesAlong, drift, pinnedAs }: PlannedUnit,
  { journalSchema, runId }: Place,
): Promise<void> {
  if (approval && !(await useApproval(connection, journalSchema, approval, runId)))
    throw new ApprovalVoid(approval, GONE);
  if (approval) await unpin(connection, journalSchema, drift, pinnedAs);
  if (loss) await assertNotGrown(connection, approval, loss);
  if (takesAlong) await assertNothingBuilt(connection, approval, takesAlong);
}

async function assertNothingBuilt(
  connection: Connection,
  approval: Approval | undefined,
  { question, known, lock }: TakenAlong,
): Promise<void> {
  await run(connection, lock);
  const [row] = await queryRows<{ built: Built[] }>(connection, `select (${question}) as built`);
  const isKnown = ({ is, name, relation }: Built): boolean =>
    known.some((each) => each.is === is && each.name === name && isSameName(each.relation, relation));
  const others = (row?.built ?? []).filter((each) => !isKnown(each)).map(({ name }) => name);
  if (others.length === 0) return;
  const reason = `${others.join(', ')} was built on it meanwhile, and would go with it`;
  if (approval)
    throw new ApprovalVoid(approval, `${reason}: the approval of ${approval.by} is void, look again`);
  throw new Error(reason);
}

const GONE = 'the approval has been used, has expired or is void by now; look again and approve it again';

/**
 * Nobody writes to a table that is locked between the count and the change. A large one would be locked for too long: it
 * is counted while others write, right before.
 */
async function assertNotGrown(
  connection: Connection,
  approval: Approval | undefined,
  loss: Loss,
): Promise<void> {
  const otherwise = approval ? countedOtherwise(approval, loss.measures) : null;
  if (approval && otherwise !== null) throw new ApprovalVoid(approval, otherwise);
  const [unattended] = loss.measures;
  const measure = approval
    ? loss.measures.find(({ what }) =>
        approval.loss.some((each) => each.what === what && each.count !== null),
      )
    : unattended;
  if (!measure) return;
  const count = loss.isLarge
    ? await countUnlimited(connection, measure.count)
    : await countLocked(connection, loss, measure.count);
  const growth = approval ? growthOf(approval, measure.what, count) : null;
  if (approval && growth !== null) throw new ApprovalVoid(approval, growth);
  if (!approval && count !== 0)
    throw new Error(
      `it would lose ${describeLoss({ what: measure.what, count: count ?? null })}, which nobody has approved`,
    );
}

async function countLocked(
  connection: Connection,
  { table }: Loss,
  count: Count,
): Promise<number | undefined> {
  await run(connection, `lock table ${quoteQualified(table)} in access exclusive mode`);
  const [row] = await queryRows<{ count: number }>(connection, count);
  return row?.count;
}

/** The limit of a statement's time is for those that stop others. */
async function countUnlimited(connection: Connection, count: Count): Promise<number | undefined> {
  const [saved] = await queryRows<{ timeout: string }>(
    connection,
    `select current_setting('statement_timeout') as timeout, set_config('statement_timeout', '0', true)`,
  );
  const [row] = await queryRows<{ count: number }>(connection, count);
  await run(connection, `set local statement_timeout = ${quoteLiteral(saved?.timeout ?? '0')}`);
  return row?.count;
}

/**
 * The same for a unit that runs outside any transaction: its approval is used up before it begins. After a failure that
 * we live to see it holds again; after a crash it does as long as the index is there that was to be dropped, and an index
 * that comes in its place is another.
 */
export async function withConsent<Value>(
  connection: Connection,
  [first]: readonly StepInUnit[],
  { journalSchema, runId }: Place,
  task: () => Promise<Value>,
): Promise<Value> {
  const { approval, undoes, drops, drift, pinnedAs } = first?.unit ?? {};
  const pinned = async (): Promise<Value> => {
    if (!undoes) return task();
    await pinUndone(connection, journalSchema, undoes, runId);
    const value = await task();
    await undoIsDone(connection, journalSchema, undoes, runId);
    return value;
  };
  if (!approval) return pinned();
  if (!(await useApproval(connection, journalSchema, approval, runId, drops)))
    throw new StepFailure(0, new ApprovalVoid(approval, GONE));
  if (drift) await unpin(connection, journalSchema, drift, pinnedAs);
  let value: Value;
  try {
    value = await pinned();
  } catch (error) {
    await giveBackApproval(connection, journalSchema, approval, runId).catch(() => undefined);
    throw error;
  }
  await voidOthers(connection, journalSchema, approval).catch(() => undefined);
  return value;
}

/** Writes down that an approval does not hold any more, if that is what a unit failed for. */
export async function noteVoid(connection: Connection, journalSchema: string, error: unknown): Promise<void> {
  const cause = error instanceof StepFailure ? error.cause : error;
  if (cause instanceof ApprovalVoid && cause.message !== GONE)
    await voidApproval(connection, journalSchema, cause.approval, cause.message);
}

/** What is told to be void is so, also where less would be lost again by the next look. */
export async function noteOutgrown(
  connection: Connection,
  journalSchema: string,
  { outgrown }: Pick<Plan, 'outgrown'>,
): Promise<void> {
  // Who may not write it down meets it again.
  for (const { approval, reason } of outgrown)
    await voidApproval(connection, journalSchema, approval, reason).catch(() => undefined);
}

const REFUSED = 'it was approved, and PostgreSQL has refused it all the same';

/** That a session was cut off, a lock not had or a statement cancelled says nothing about the next time. */
const TRANSIENT = /^(?:08|40|53|55P|57|58|XX)/;

/** Writes down that PostgreSQL refuses an undo, as it would at each tick. */
export async function noteRefusal(
  connection: Connection,
  journalSchema: string,
  [first]: readonly PlannedUnit[],
  error: unknown,
): Promise<void> {
  const cause = error instanceof StepFailure ? error.cause : error;
  const state = sqlStateOf(cause);
  if (!first?.undoes || state === undefined || TRANSIENT.test(state)) return;
  await noteRefusedUndo(connection, journalSchema, first.undoes, describeError(cause));
  if (first.approval) await voidApproval(connection, journalSchema, first.approval, REFUSED);
}
