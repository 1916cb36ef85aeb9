import pRetry from 'p-retry';
import { describeError, HealingStoppedError, SqlState, sqlStateOf } from '../errors.js';
import type { Journal } from '../journal/journal.js';
import type { PlannedUnit } from '../plan/plan.js';
import type { Execution } from '../plan/proposal.js';
import type { Step } from '../plan/step.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { displayName } from '../schema/identifier.js';
import type { AppliedStep, FailedStep } from './heal-report.js';

export interface ExecuteOptions {
  readonly execution: Execution;
  readonly lockTimeoutMs: number;
  /** No further unit is begun once it aborts. */
  readonly signal: AbortSignal;
  /** Told of each step that has been committed. */
  readonly onApplied?: ((step: AppliedStep) => void) | undefined;
}

export interface ExecutionResult {
  readonly applied: readonly AppliedStep[];
  readonly failed: readonly FailedStep[];
}

const RETRIES = 5;

/**
 * Carries out units in order. What fails is rolled back alone (online) or all together (atomic) and told in the result;
 * a unit of a finding whose earlier unit failed is left out.
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
  const broken = new Set<PlannedUnit['drift']>();
  await endWithThisProcess(connection);
  for (const batch of toBatches(units, options.execution)) {
    assertGoingOn(options.signal);
    const todo = batch.filter(({ drift }) => !broken.has(drift));
    const outcome = await executeBatch(connection, journal, todo, options);
    for (const step of outcome.applied) options.onApplied?.(step);
    applied.push(...outcome.applied);
    failed.push(...outcome.failed);
    if (outcome.failed.length > 0) todo.forEach(({ drift }) => broken.add(drift));
    if (outcome.failed.length > 0 && options.execution === 'atomic') break;
  }
  return { applied, failed };
}

/**
 * A statement that waits for a lock would go on waiting after this process has died, with everybody else queued behind it.
 * PostgreSQL knows the setting from 14 on, and not on every platform.
 */
async function endWithThisProcess(connection: Connection): Promise<void> {
  await run(connection, "set client_connection_check_interval = '1s'").catch(() => undefined);
}

/** Atomic: one transaction as far as PostgreSQL allows it. Online: one a unit. */
function toBatches(units: readonly PlannedUnit[], execution: Execution): PlannedUnit[][] {
  const batches: PlannedUnit[][] = [];
  for (const unit of units) {
    const last = batches.at(-1);
    const together = execution === 'atomic' && unit.transactional && last?.at(-1)?.transactional === true;
    if (together) last?.push(unit);
    else batches.push([unit]);
  }
  return batches;
}

interface StepInUnit {
  readonly step: Step;
  readonly unit: PlannedUnit;
}

/** Carries the statement that failed out of the transaction. */
class StepFailure extends Error {
  constructor(
    readonly position: number,
    override readonly cause: unknown,
  ) {
    super(describeError(cause));
  }
}

async function executeBatch(
  connection: Connection,
  journal: Journal,
  units: readonly PlannedUnit[],
  options: ExecuteOptions,
): Promise<ExecutionResult> {
  const steps = units.flatMap((unit) => unit.steps.map((step): StepInUnit => ({ step, unit })));
  if (steps.length === 0) return { applied: [], failed: [] };
  const ids = await journal.stepsBegin(steps.map(({ step }) => step));
  try {
    const durations = await withRetries(() => attempt(connection, units, steps, options), options.signal);
    for (const [i, id] of ids.entries()) {
      await journal.stepEnds(id, { outcome: 'applied', durationMs: durations[i] ?? 0, error: null });
    }
    return {
      applied: steps.map(({ step, unit }, i) => toApplied(step, unit, durations[i] ?? 0)),
      failed: [],
    };
  } catch (error) {
    if (connection.lost.aborted) throw error;
    return { applied: [], failed: await recordFailure(journal, ids, steps, error) };
  }
}

/** Lock conflicts pass; everything else would fail again. */
function withRetries<Value>(task: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  return pRetry(task, {
    retries: RETRIES,
    minTimeout: 100,
    maxTimeout: 2000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => {
      const state = sqlStateOf(error.cause);
      return state === SqlState.lockNotAvailable || state === SqlState.deadlockDetected;
    },
  });
}

/** Answers with the milliseconds that each step took. */
async function attempt(
  connection: Connection,
  units: readonly PlannedUnit[],
  steps: readonly StepInUnit[],
  { lockTimeoutMs }: ExecuteOptions,
): Promise<number[]> {
  const [unit] = units;
  if (unit && !unit.transactional) return attemptAlone(connection, unit, steps);
  await run(connection, `begin; set local lock_timeout = ${lockTimeoutMs}`);
  try {
    const durations = await runSteps(connection, steps);
    await run(connection, 'commit');
    return durations;
  } catch (error) {
    await run(connection, 'rollback').catch(() => undefined);
    throw error;
  }
}

/** A concurrent build waits for older snapshots all over the database: a short timeout would only leave a carcass. */
async function attemptAlone(
  connection: Connection,
  unit: PlannedUnit,
  steps: readonly StepInUnit[],
): Promise<number[]> {
  await run(connection, 'set lock_timeout = 0; set statement_timeout = 0');
  const before = await invalidIndexes(connection);
  try {
    return await runSteps(connection, steps);
  } catch (error) {
    // Where this fails too, the carcass is drift at the next look.
    if (unit.cleanup) await cleanUp(connection, unit.cleanup, before, error).catch(() => undefined);
    throw error;
  }
}

/** Only a carcass of our own is taken away: an index that bore the name before is somebody's. */
async function cleanUp(
  connection: Connection,
  sql: string,
  before: ReadonlySet<string>,
  error: unknown,
): Promise<void> {
  if (error instanceof StepFailure && sqlStateOf(error.cause) === SqlState.duplicateTable) return;
  const after = await invalidIndexes(connection);
  if ([...after].some((oid) => !before.has(oid))) await run(connection, sql);
}

async function invalidIndexes(connection: Connection): Promise<Set<string>> {
  const sql = 'select indexrelid::text as oid from pg_catalog.pg_index where not indisvalid';
  return new Set((await queryRows<{ oid: string }>(connection, sql)).map(({ oid }) => oid));
}

async function runSteps(connection: Connection, steps: readonly StepInUnit[]): Promise<number[]> {
  const durations: number[] = [];
  for (const [position, { step }] of steps.entries()) {
    const start = performance.now();
    try {
      await run(connection, step.sql);
    } catch (error) {
      throw new StepFailure(position, error);
    }
    durations.push(performance.now() - start);
  }
  return durations;
}

async function recordFailure(
  journal: Journal,
  ids: readonly string[],
  steps: readonly StepInUnit[],
  error: unknown,
): Promise<FailedStep[]> {
  // COMMIT itself can fail, too (a deferred constraint): the last step stands for it.
  const position = error instanceof StepFailure ? error.position : steps.length - 1;
  const message = describeError(error);
  for (const [i, id] of ids.entries()) {
    const isCulprit = i === position;
    const outcome = isCulprit ? 'failed' : 'rolled-back';
    await journal.stepEnds(id, { outcome, durationMs: null, error: isCulprit ? message : null });
  }
  const culprit = steps[position];
  return culprit ? [toFailed(culprit, message)] : [];
}

function toFailed({ step, unit }: StepInUnit, message: string): FailedStep {
  const { object, action, sql } = step;
  const left = unit.drift.table ?? unit.drift.object;
  return { object, action, sql, error: `${message}. Rolled back: ${left} stays as it was` };
}

function toApplied(
  { object, table, action, sql, lock }: Step,
  unit: PlannedUnit,
  durationMs: number,
): AppliedStep {
  const name = table ? displayName(table.schema, table.name) : unit.drift.table;
  return { object, table: name, action, sql, lock, durationMs: Math.round(durationMs * 10) / 10 };
}

function assertGoingOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const why =
    signal.reason instanceof HealingStoppedError ? signal.reason.message : 'the lock session was lost';
  throw new HealingStoppedError(
    `Stopped before the next step: ${why}. What was applied stays; the next run goes on.`,
  );
}
