import { AutoMigrationError, describeError } from '../errors.js';
import { Journal } from '../journal/journal.js';
import { ensureJournal } from '../journal/ensure-journal.js';
import type { Trigger } from '../journal/records.js';
import { askForUndo, closeUndos, readAppliedSteps } from '../journal/undos.js';
import { isLookedAt } from '../plan/applied-step.js';
import type { Drift } from '../plan/plan.js';
import { splitRun, type AppliedRecord, type NotUndone } from '../plan/undo-run.js';
import type { Connection } from '../schema/connection.js';
import { executeUnits } from './execute.js';
import type { HealContext } from './heal.js';
import type { AppliedStep, FailedStep } from './heal-report.js';
import { acquireHealerLock, currentHealer, describeHealer } from './healer-lock.js';
import { Observer } from './observer.js';
import { assertSecondSession } from './second-session.js';
import { heeding } from './stopping.js';

/** How a run was taken back. Plain data. */
export interface RollbackReport {
  /**
   * undone: all of it; partly-undone: see what is left; nothing-to-do: nothing of it can be, or is there any more; failed:
   * nothing was, see why.
   */
  readonly outcome: 'undone' | 'partly-undone' | 'nothing-to-do' | 'failed' | 'another-healer';
  /** Of the journal: the run that took it back; null when nothing was tried. */
  readonly runId: string | null;
  readonly applied: readonly AppliedStep[];
  readonly failed: readonly FailedStep[];
  /** What would lose data that was written since: approve its ids, and the next healing takes it back. */
  readonly open: readonly Drift[];
  /** What cannot be taken back. */
  readonly notUndone: readonly NotUndone[];
  /** What the entities ask for and is kept from being done again. */
  readonly pinned: readonly Drift[];
  readonly error: string | null;
}

/** Who asks for it, and how it can be stopped. */
export interface RollbackRequest {
  /** For the journal. */
  readonly by: string;
  /** @default 'api' */
  readonly trigger?: Trigger;
  readonly signal?: AbortSignal;
}

export type RollbackContext = Pick<HealContext, 'connect' | 'lookout'> & {
  readonly options: HealContext['options'] & { readonly approvalTtlMs: number };
};

type Rolled = Pick<RollbackReport, 'applied' | 'failed' | 'runId'>;

const NOTHING: RollbackReport = {
  outcome: 'nothing-to-do',
  runId: null,
  applied: [],
  failed: [],
  open: [],
  notUndone: [],
  pinned: [],
  error: null,
};

/** Takes the steps of a run back, the latest first, as the one healer. What goes wrong is told, not thrown. */
export async function rollback(
  context: RollbackContext,
  runId: string,
  request: RollbackRequest,
): Promise<RollbackReport> {
  try {
    return await rollBackAlone(context, runId, request);
  } catch (error) {
    return { ...NOTHING, outcome: 'failed', error: describeError(error) };
  }
}

async function rollBackAlone(
  context: RollbackContext,
  runId: string,
  request: RollbackRequest,
): Promise<RollbackReport> {
  const { journalSchema, waitForHealerMs } = context.options;
  const signal = request.signal ?? new AbortController().signal;
  const connection = await context.connect();
  try {
    const lock = await acquireHealerLock(context.connect, journalSchema, waitForHealerMs, signal);
    if (!lock) {
      const healer = await currentHealer(connection, journalSchema);
      const error = healer && `${describeHealer(healer)} is healing`;
      return { ...NOTHING, outcome: 'another-healer', error };
    }
    try {
      await assertSecondSession(connection);
      await ensureJournal(connection, journalSchema);
      const stopped = AbortSignal.any([signal, lock.lost]);
      return await takeBack(context, connection, runId, request, stopped);
    } finally {
      await lock.release();
    }
  } finally {
    await connection.close();
  }
}

async function takeBack(
  context: RollbackContext,
  connection: Connection,
  runId: string,
  request: RollbackRequest,
  stopped: AbortSignal,
): Promise<RollbackReport> {
  const { journalSchema, approvalTtlMs } = context.options;
  const steps = await readAppliedSteps(connection, journalSchema, runId);
  if (!steps)
    throw new AutoMigrationError(
      `The journal has no run ${runId}. Nothing was changed; see auto-migrate history.`,
    );
  const session = heeding(connection, stopped);
  const { schemas } = await context.lookout.look(session);
  const { undoable, notUndone } = splitRun(steps);
  const seen = undoable.filter((each) => isLookedAt(each, schemas));
  const left = seen.filter(({ isUndone }) => !isUndone);
  await askForUndo(connection, journalSchema, left, { by: request.by, ttlMs: approvalTtlMs });
  const rolled = await execute(context, connection, runId, request, stopped);
  const look = await context.lookout.look(session);
  await closeUndos(connection, journalSchema, look.goneUndos);
  const { drift } = look.plan;
  const undos = drift.filter((each) => each.kind === 'undo' && isOf(each, runId));
  const open = undos.filter(({ disposition }) => disposition === 'open');
  const pinned = drift.filter(({ hazards }) => hazards.includes('pinned'));
  const before = undoable.filter(({ isUndone }) => isUndone);
  const kept = [
    ...notUndone,
    ...undoable.filter((each) => !before.includes(each) && !seen.includes(each)).map(because(NOT_LOOKED_AT)),
    ...untried(undos, rolled).map(({ object, actual }) => ({
      object,
      action: actual ?? '',
      reason: UNTRIED,
    })),
    ...notFound(left, rolled, undos).map(because(NOT_FOUND)),
  ];
  const isLeft = open.length + rolled.failed.length + kept.length > 0;
  const outcome = isLeft ? 'partly-undone' : 'undone';
  return {
    ...NOTHING,
    ...rolled,
    outcome: rolled.applied.length > 0 ? outcome : rolled.failed.length > 0 ? 'failed' : 'nothing-to-do',
    open,
    notUndone: [...kept, ...before.map(because(UNDONE))],
    pinned,
  };
}

/** What nothing stands in the way of but what has failed before it. */
function untried(undos: readonly Drift[], { failed }: Rolled): Drift[] {
  return undos.filter((each) => each.disposition === 'heal' && !failed.some((step) => isStepOf(step, each)));
}

function isStepOf({ object, action }: FailedStep, { object: of, actual }: Drift): boolean {
  return object === of && action === `undo ${actual}`;
}

/** What was wanted, and has led to nothing: somebody has taken it away before. */
function notFound(
  undoable: readonly AppliedRecord[],
  { applied, failed }: Rolled,
  undos: readonly Drift[],
): AppliedRecord[] {
  const seen = new Set([
    ...[...applied, ...failed].map(({ object, action }) => `${action} ${object}`),
    ...undos.map(({ object, actual }) => `undo ${actual} ${object}`),
  ]);
  return undoable.filter(({ object, action }) => !seen.has(`undo ${action} ${object}`));
}

function because(reason: string): (step: AppliedRecord) => NotUndone {
  return ({ object, action }) => ({ object, action, reason });
}

const UNDONE = 'it was taken back before';
const NOT_FOUND =
  'it is not there as the run has made it: somebody has changed it, or a later run has renamed it, which is to be taken back first';
const UNTRIED = 'it waits for what has failed before it; the next healing tries both';
const NOT_LOOKED_AT = 'it is in a schema that is not looked at';

function isOf({ desired }: Drift, runId: string): boolean {
  return desired === `as before run ${runId}`;
}

async function execute(
  context: RollbackContext,
  connection: Connection,
  runId: string,
  { trigger = 'api' }: RollbackRequest,
  stopped: AbortSignal,
): Promise<Rolled> {
  const { lookout, options } = context;
  const look = await lookout.look(heeding(connection, stopped));
  const units = look.plan.units.filter(({ drift }) => drift.kind === 'undo' && isOf(drift, runId));
  if (units.length === 0) return { applied: [], failed: [], runId: null };
  const journal = await Journal.begin(connection, options.journalSchema, trigger, look.desiredHash);
  try {
    const { applied, failed } = await executeUnits(connection, journal, units, {
      ...options,
      signal: stopped,
      observer: new Observer(null, null, options.lockTimeoutMs),
    });
    await journal.end(
      failed.length === 0 ? 'healed' : applied.length > 0 ? 'partly-healed' : 'failed',
      failed[0]?.error ?? null,
    );
    return { applied, failed, runId: journal.runId };
  } catch (error) {
    await journal.end('failed', describeError(error)).catch(() => undefined);
    throw error;
  }
}
