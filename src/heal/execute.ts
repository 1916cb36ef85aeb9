import { HealingStoppedError } from '../errors.js';
import { settleFills } from '../journal/fill-columns.js';
import type { Journal } from '../journal/journal.js';
import type { PlannedUnit } from '../plan/plan.js';
import type { Execution } from '../plan/proposal.js';
import { run, type Connection } from '../schema/connection.js';
import { liftLimits } from '../schema/limits.js';
import { runAlone } from './alone.js';
import { runBatches } from './batches.js';
import { fillInRounds } from './fill-rounds.js';
import { Courtesy } from './give-way.js';
import type { HealProgress } from './heal-progress.js';
import type { AppliedStep, FailedStep } from './heal-report.js';
import type { Observer } from './observer.js';
import { retryLockConflicts } from './retry.js';
import { isTime, recordEnds, recordFailure, toApplied } from './step-records.js';
import { StepFailure, type StepEnd, type StepInUnit } from './steps.js';
import { noteRefusal, noteVoid, withConsent } from './consent.js';
import { heeding, whyStopped } from './stopping.js';
import { runTogether, type Limits } from './together.js';

export interface ExecuteOptions extends Omit<Limits, 'runId'> {
  readonly lockRetries: number;
  /** No further unit is begun once it aborts. */
  readonly signal: AbortSignal;
  readonly observer: Observer;
  /** Told of each step that has been committed. */
  readonly onApplied?: ((step: AppliedStep) => void) | undefined;
  readonly onProgress?: ((progress: HealProgress) => void) | undefined;
  /** Told once, before the first unit that may take long without stopping anybody. */
  readonly onLong?: (() => void) | undefined;
}

export interface ExecutionResult {
  readonly applied: readonly AppliedStep[];
  readonly failed: readonly FailedStep[];
}

type RunOptions = ExecuteOptions & { readonly courtesy: Courtesy };

interface GroupResult extends ExecutionResult {
  /** The objects of what was not done: nothing more is done about them. */
  readonly broken: readonly string[];
}

interface Carried extends GroupResult {
  readonly isDone: boolean;
}

/**
 * Carries out units in order. What fails is rolled back alone (online) or all together (atomic) and told in the result;
 * later units for the same object, or for what should have been renamed, are then left out.
 *
 * @throws when the session is lost or the journal cannot be written: then nobody knows more than the catalog
 */
export async function executeUnits(
  connection: Connection,
  journal: Journal,
  units: readonly PlannedUnit[],
  options: ExecuteOptions,
): Promise<ExecutionResult> {
  const applied: AppliedStep[] = [];
  const failed: FailedStep[] = [];
  const broken = new Set<string>();
  const of = stepsIn(units);
  const withCourtesy = { ...options, courtesy: new Courtesy() };
  let done = 0;
  let isLong = false;
  const carryOut = async (group: readonly PlannedUnit[], isAgain = false): Promise<Carried> => {
    assertGoingOn(options.signal);
    const todo = group.filter((unit) => !isLeftOut(unit, broken));
    if (!isLong && todo.some((unit) => unit.isLong)) options.onLong?.();
    isLong ||= todo.some((unit) => unit.isLong);
    const before = isAgain ? done - stepsIn(group) : done;
    const outcome = await executeGroup(
      connection,
      journal,
      todo,
      { done: before, of, isAgain },
      withCourtesy,
    );
    done = before + stepsIn(group);
    applied.push(...outcome.applied);
    failed.push(...outcome.failed);
    outcome.broken.forEach((object) => broken.add(object));
    return { isDone: todo.length === group.length && outcome.broken.length === 0, ...outcome };
  };
  await prepareSession(connection);
  await settleFills(connection, options.journalSchema);
  for (const group of toGroups(units, options.execution)) {
    if (group[0]?.manner === 'batches')
      await fillInRounds(group, {
        connection: heeding(connection, options.signal),
        journalSchema: options.journalSchema,
        run: async (unit, isAgain) => (await carryOut([unit], isAgain)).isDone,
      });
    else {
      const outcome = await carryOut(group);
      // Others do not hang on an undo.
      const isOver = outcome.failed.length > 0 && group.every(({ undoes }) => !undoes);
      if (isOver && options.execution === 'atomic') break;
    }
  }
  if (!connection.isPooled) await run(connection, `reset all; select ${liftLimits('session')}`);
  return { applied, failed };
}

function stepsIn(units: readonly PlannedUnit[]): number {
  return units.flatMap(({ steps }) => steps).length;
}

/** What failed is not gone on with, and a table that could not be made is not filled. */
function isLeftOut({ drift, presumes }: PlannedUnit, broken: ReadonlySet<string>): boolean {
  const { object, table, kind } = drift;
  if ([object, ...presumes].some((each) => broken.has(each))) return true;
  return kind === 'unfilled-column' && table !== null && broken.has(table);
}

/**
 * A statement that waits for a lock would go on waiting after this process has died, with everybody else queued behind
 * it. Not every platform can tell.
 */
async function prepareSession(connection: Connection): Promise<void> {
  if (connection.isPooled) return;
  await run(connection, `set client_connection_check_interval = '1s'`).catch(() => undefined);
}

/** Atomic: one transaction as far as PostgreSQL allows it. Online: one a unit; but fills go on until all are done. */
function toGroups(units: readonly PlannedUnit[], execution: Execution): PlannedUnit[][] {
  const groups: PlannedUnit[][] = [];
  for (const unit of units) {
    const last = groups.at(-1);
    const mayJoin = unit.manner === 'batches' || (execution === 'atomic' && isJoinable(unit));
    const [first] = last ?? [];
    if (mayJoin && first?.manner === unit.manner && !first.undoes) last?.push(unit);
    else groups.push([unit]);
  }
  return groups;
}

/** An undo stands alone, as nothing else hangs on whether PostgreSQL refuses it. */
function isJoinable({ manner, undoes }: PlannedUnit): boolean {
  return manner === 'together' && !undoes;
}

interface Position {
  readonly done: number;
  readonly of: number;
  /** Swept once more by the same run: the step has been told and written down as applied. */
  readonly isAgain: boolean;
}

async function executeGroup(
  connection: Connection,
  journal: Journal,
  units: readonly PlannedUnit[],
  position: Position,
  options: RunOptions,
): Promise<GroupResult> {
  const steps = units.flatMap((unit) => unit.steps.map((step): StepInUnit => ({ step, unit })));
  if (steps.length === 0) return { applied: [], failed: [], broken: [] };
  const begin = (): Promise<string[]> =>
    journal.stepsBegin(steps.map(({ step, unit }) => ({ ...step, drift: unit.drift })));
  const begun = position.isAgain ? null : await begin();
  let ends: StepEnd[];
  try {
    ends = await retryLockConflicts(
      () => attempt(connection, steps, position, { ...options, runId: journal.runId }),
      // Batches try again each for itself.
      steps[0]?.unit.manner === 'batches' ? 0 : options.lockRetries,
      options.signal,
    );
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await cleanUp(connection, units, options);
    await noteVoid(connection, options.journalSchema, error);
    await noteRefusal(connection, options.journalSchema, units, error);
    const failed = await recordFailure(journal, begun ?? (await begin()), steps, error, options);
    return { applied: [], failed, broken: objectsOf(units) };
  }
  if (!begun) return { applied: [], failed: [], broken: [] };
  // Committed, whatever becomes of its record.
  const applied = steps.flatMap((step, i) => (isTime(ends[i]) ? [toApplied(step, ends[i])] : []));
  for (const step of applied) options.onApplied?.(step);
  await recordEnds(journal, begun, ends);
  const leftOut = units.filter((unit) => steps.some((each, i) => each.unit === unit && !isTime(ends[i])));
  await cleanUp(connection, leftOut, options);
  return { applied, failed: [], broken: objectsOf(leftOut) };
}

function objectsOf(units: readonly PlannedUnit[]): string[] {
  return units.map(({ drift }) => drift.object);
}

/** Takes away what an earlier unit has made for one that failed. Where this fails, too, it is drift at the next look. */
async function cleanUp(
  connection: Connection,
  units: readonly PlannedUnit[],
  { lockTimeoutMs, lockRetries, signal }: ExecuteOptions,
): Promise<void> {
  for (const { cleanup, manner } of units) {
    // What runs alone has cleaned up by itself, as it knows what is its own.
    if (cleanup === null || manner === 'alone') continue;
    const sql = `begin; set local lock_timeout = ${lockTimeoutMs}; ${cleanup}; commit`;
    const task = (): Promise<void> =>
      run(connection, sql).catch(async (error: unknown) => {
        await run(connection, 'rollback');
        throw new StepFailure(0, error);
      });
    await retryLockConflicts(task, lockRetries, signal).catch(() => undefined);
  }
}

function attempt(
  connection: Connection,
  steps: readonly StepInUnit[],
  { done, of }: Position,
  options: RunOptions & Limits,
): Promise<StepEnd[]> {
  let current = 0;
  const none = { phase: null, percent: null, remainingMs: null, blockedBy: [] };
  let last: Pick<HealProgress, 'phase' | 'percent' | 'remainingMs'> = none;
  // What the server does not say, the batches may have said.
  const tell = (seen: Partial<HealProgress>): void => {
    const step = steps[current]?.step;
    const known = seen.phase === null ? { ...seen, ...last } : seen;
    if (step) options.onProgress?.({ step: done + current + 1, of, ...nameOf(step), ...none, ...known });
  };
  const onStep = (position: number): void => {
    current = position;
    last = none;
    tell(none);
  };
  const onBatch = (progress: typeof last): void => {
    last = progress;
    tell(progress);
  };
  const runs = {
    alone: () =>
      withConsent(connection, steps, options, () => runAlone(connection, steps, options.signal, onStep)),
    batches: () =>
      withConsent(connection, steps, options, () =>
        runBatches(connection, steps, { ...options, tell: onBatch }, onStep),
      ),
    together: async () => {
      if (options.execution === 'online') {
        const wait = { phase: MAINTENANCE, percent: null, remainingMs: null };
        const session = heeding(connection, options.signal);
        await options.courtesy.giveWay(session, steps, options.signal, () => onBatch(wait));
      }
      return runTogether(connection, steps, options, onStep);
    },
  };
  return options.observer.observe(runs[steps[0]?.unit.manner ?? 'together'], tell);
}

const MAINTENANCE = 'waiting until VACUUM, ANALYZE or an index build of the table has ended';

function nameOf({ object, action }: StepInUnit['step']): Pick<HealProgress, 'object' | 'action'> {
  return { object, action };
}

function assertGoingOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new HealingStoppedError(
    `Stopped before the next step: ${whyStopped(signal)}. What was applied stays; the next run goes on.`,
  );
}
