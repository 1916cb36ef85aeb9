import { describeError, JournalError, SqlState, sqlStateOf } from '../errors.js';
import type { Journal, StepResult } from '../journal/journal.js';
import { displayName } from '../schema/identifier.js';
import { describeBlocker, type Blocker } from './heal-progress.js';
import type { AppliedStep, FailedStep } from './heal-report.js';
import type { Observer } from './observer.js';
import { StepFailure, type StepEnd, type StepInUnit } from './steps.js';

/** What a failure may have come of. */
interface Circumstances {
  readonly observer: Observer;
  readonly signal: AbortSignal;
  readonly lockTimeoutMs: number;
  readonly lockBudgetMs: number;
}

/** Whether a step has ended well. */
export function isTime(end: StepEnd | undefined): end is number {
  return typeof end === 'number';
}

/**
 * Writes down how steps have ended that are committed.
 *
 * @throws JournalError
 */
export async function recordEnds(
  journal: Journal,
  ids: readonly string[],
  ends: readonly StepEnd[],
): Promise<void> {
  try {
    for (const [i, id] of ids.entries()) await journal.stepEnds(id, recordOf(ends[i] ?? 0, i));
  } catch (error) {
    throw new JournalError(
      `Cannot write to the journal what was applied: ${describeError(error)}. It stays; the next run goes on.`,
    );
  }
}

/** What was left out is told in the journal alone: why, a later look says better. */
function recordOf(end: StepEnd, position: number): StepResult {
  if (isTime(end)) return { outcome: 'applied', durationMs: end, error: null };
  return end.position === position
    ? { outcome: 'failed', durationMs: null, error: end.message }
    : { outcome: 'rolled-back', durationMs: null, error: null };
}

/** Writes down that steps were rolled back, and tells which one is to blame. */
export async function recordFailure(
  journal: Journal,
  ids: readonly string[],
  steps: readonly StepInUnit[],
  error: unknown,
  circumstances: Circumstances,
): Promise<FailedStep[]> {
  // COMMIT itself can fail, too (a deferred constraint): the last step stands for it.
  const position = error instanceof StepFailure ? error.position : steps.length - 1;
  const { message, blockedBy } = explain(error, circumstances);
  for (const [i, id] of ids.entries()) {
    const isCulprit = i === position;
    const outcome = isCulprit ? 'failed' : 'rolled-back';
    await journal.stepEnds(id, { outcome, durationMs: null, error: isCulprit ? message : null });
  }
  const culprit = steps[position];
  return culprit ? [toFailed(culprit, message, blockedBy)] : [];
}

/** PostgreSQL's message, and what it does not know: whom the statement waited for, and why it was given so much time. */
function explain(
  error: unknown,
  { observer, signal, lockTimeoutMs, lockBudgetMs }: Circumstances,
): Pick<FailedStep, 'blockedBy'> & { readonly message: string } {
  const message = describeError(error);
  const state = error instanceof StepFailure ? sqlStateOf(error.cause) : undefined;
  if (state === SqlState.lockNotAvailable && observer.blockedBy.length > 0) {
    const { blockedBy } = observer;
    return { message: `${message}; waited for ${blockedBy.map(describeBlocker).join(', ')}`, blockedBy };
  }
  if (state === SqlState.queryCanceled && !signal.aborted) {
    const allowed = `a statement that stops others may take lockTimeoutMs ${lockTimeoutMs} + lockBudgetMs ${lockBudgetMs}`;
    return { message: `${message}; ${allowed}`, blockedBy: [] };
  }
  return { message, blockedBy: [] };
}

function toFailed({ step, unit }: StepInUnit, message: string, blockedBy: readonly Blocker[]): FailedStep {
  const { object, action, sql } = step;
  const table = unit.drift.table ?? unit.drift.object;
  const left =
    unit.manner === 'batches'
      ? 'What was filled stays, the rest is NULL'
      : `Rolled back: ${table} stays as it was`;
  return { object, action, sql, error: `${message}. ${left}`, blockedBy };
}

/** What is told of a step that is committed. */
export function toApplied({ step, unit }: StepInUnit, durationMs: number): AppliedStep {
  const { object, table, action, sql, lock } = step;
  const name = table ? displayName(table.schema, table.name) : unit.drift.table;
  return { object, table: name, action, sql, lock, durationMs: Math.round(durationMs * 10) / 10 };
}
