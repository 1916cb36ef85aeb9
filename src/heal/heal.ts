import { describeError } from '../errors.js';
import { askOf, type Ask, type Claim, type Claims } from '../journal/claims.js';
import { Journal } from '../journal/journal.js';
import { noteNotConverging } from '../journal/standing.js';
import type { Trigger } from '../journal/records.js';
import type { Drift, Plan } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import type { Execution } from '../plan/proposal.js';
import type { Connect, Connection } from '../schema/connection.js';
import { executeUnits } from './execute.js';
import type { AppliedStep, FailedStep, HealOutcome, HealReport } from './heal-report.js';
import type { HealProgress } from './heal-progress.js';
import { acquireHealerLock, currentHealer, type HealerLock } from './healer-lock.js';
import { isToBeKept, keepQuietly, newerRelease } from './leadership.js';
import { Observer } from './observer.js';

/** Who asks for a healing, and how it can be stopped. */
export interface HealRequest {
  /** @default 'api' */
  readonly trigger?: Trigger;
  /** Ends the healing: the statement that is running is cancelled, its unit rolled back. */
  readonly signal?: AbortSignal;
  /** Told of the plan before the first step, unless there is nothing to do. */
  readonly onPlan?: (plan: Plan) => void;
  /** Told of each step once it is committed. */
  readonly onApplied?: (step: AppliedStep) => void;
  /** Told where the healing is, at each step and several times a second. */
  readonly onProgress?: (progress: HealProgress) => void;
  /** Told once, when only what may take long without stopping anybody is left to do. */
  readonly onLong?: () => void;
}

/** What one look at the database brings: the differences judged, and on what ground. */
export interface Look {
  readonly desiredHash: string;
  readonly schemas: readonly string[];
  /** Of the entities: `public.staff`. */
  readonly tables: readonly string[];
  readonly plan: Plan;
  /** Nothing is open: what is extra or accepted does not count. */
  readonly isInSync: boolean;
  readonly warnings: readonly string[];
}

/** What healing needs to know of the rest. */
export interface HealContext {
  readonly connect: Connect;
  /** By the application's own pool. */
  readonly ask: Ask;
  readonly claims: Claims;
  readonly lookout: {
    /** The last look, if it still holds. */
    readonly glance: () => Promise<Look | undefined>;
    readonly look: (connection: Connection) => Promise<Look>;
    /** Whether its desired schema had to be built, so that the next start would have to, too. */
    readonly shouldRemember: (look: Look) => boolean;
    /** Keeps the desired schema in the journal's schema, which is there. */
    readonly remember: (connection: Connection, look: Look) => Promise<void>;
    /** It cannot be kept: it is not to be tried again. */
    readonly forget: (look: Look) => void;
  };
  readonly options: {
    readonly policy: Policy;
    readonly execution: Execution;
    readonly lockTimeoutMs: number;
    readonly lockRetries: number;
    readonly lockBudgetMs: number;
    readonly waitForHealerMs: number;
    readonly journalSchema: string;
  };
}

/** Looks, and if there is something to do becomes the one healer, looks again and does it. Never throws. */
export async function heal(context: HealContext, request: HealRequest): Promise<HealReport> {
  const start = performance.now();
  const progress = new Progress();
  try {
    await healUnlessInSync(context, request, progress);
  } catch (error) {
    progress.outcome = 'failed';
    progress.error = describeError(error);
  }
  return progress.toReport(performance.now() - start);
}

/** What has happened so far, so that a run that breaks off still tells what it did. */
class Progress {
  outcome: HealOutcome = 'nothing-to-do';
  runId: string | null = null;
  error: string | null = null;
  healer: HealReport['healer'] = null;
  leader: Claim | null = null;
  readonly applied: AppliedStep[] = [];
  readonly failed: FailedStep[] = [];
  private desiredHash: string | null = null;
  private drift: readonly Drift[] = [];
  private readonly warnings = new Set<string>();

  get found(): readonly Drift[] {
    return this.drift.map((each) => withFailure(each, this.failed));
  }

  /** What is not healed yet. */
  get left(): readonly Drift[] {
    return this.found.filter(isLeft);
  }

  seen({ desiredHash, plan, warnings }: Look): void {
    warnings.forEach((warning) => this.warnings.add(warning));
    this.desiredHash = desiredHash;
    this.drift = plan.drift;
  }

  supersededBy(leader: Claim | null): void {
    this.leader = leader;
    if (leader) this.outcome = 'superseded';
  }

  toReport(durationMs: number): HealReport {
    const { outcome, runId, desiredHash, applied, failed, healer, leader, error, found } = this;
    return {
      outcome,
      runId,
      desiredHash,
      durationMs: Math.round(durationMs * 10) / 10,
      applied,
      failed,
      open: this.left,
      drift: found,
      healer,
      leader,
      warnings: [...this.warnings],
      error,
    };
  }
}

async function healUnlessInSync(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
): Promise<void> {
  const isOff = context.options.policy === 'off';
  if (isOff) progress.outcome = 'skipped';
  const { lookout, ask } = context;
  const known = await lookout.glance();
  if (known && (isOff || !isToBeKept(context, known))) {
    progress.seen(known);
    if (!isOff) progress.supersededBy(await newerRelease(context, request, ask, known));
    return;
  }
  const connection = await context.connect();
  try {
    const look = await lookout.look(connection);
    progress.seen(look);
    if (isOff || (await isSuperseded(context, request, progress, connection, look))) return;
    if (look.plan.units.length > 0) await healAsTheOnlyOne(context, request, progress, connection);
    else if (isToBeKept(context, look)) await keepQuietly(context, connection, look);
  } finally {
    await connection.close();
  }
}

async function isSuperseded(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  connection: Connection,
  look: Look,
): Promise<boolean> {
  const newer = await newerRelease(context, request, askOf(connection), look);
  progress.supersededBy(newer);
  return newer !== null;
}

async function healAsTheOnlyOne(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  connection: Connection,
): Promise<void> {
  const { journalSchema, waitForHealerMs } = context.options;
  const stopped = request.signal ?? new AbortController().signal;
  const lock = await acquireHealerLock(context.connect, journalSchema, waitForHealerMs, stopped);
  if (!lock) {
    progress.outcome = 'another-healer';
    progress.healer = await currentHealer(connection, journalSchema);
    return;
  }
  try {
    // What was to do may have been done while we waited, or a newer release may lead by now.
    const look = await context.lookout.look(connection);
    progress.seen(look);
    if (await isSuperseded(context, request, progress, connection, look)) return;
    if (look.plan.units.length === 0) return;
    request.onPlan?.(look.plan);
    await carryOut(context, request, progress, connection, look, lock);
  } finally {
    await lock.release();
  }
}

async function carryOut(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  connection: Connection,
  look: Look,
  lock: HealerLock,
): Promise<void> {
  const { journalSchema } = context.options;
  const signal = request.signal ? AbortSignal.any([request.signal, lock.lost]) : lock.lost;
  const journal = await Journal.begin(connection, journalSchema, request.trigger ?? 'api', look.desiredHash);
  progress.runId = journal.runId;
  await context.lookout.remember(connection, look);
  // Where the journal was not there yet.
  await context.claims.claim(askOf(connection), look);
  const cancel = (): void => void connection.cancel().catch(() => undefined);
  // Not the lock's session: that is in a transaction, and a concurrent index build waits for the end of each one that it
  // has met with a snapshot, be it for the moment of a question. Where no more sessions can be had, nobody looks.
  const onlooker = await context.connect().catch(() => null);
  signal.addEventListener('abort', cancel);
  try {
    const options = {
      ...context.options,
      signal,
      observer: new Observer(
        onlooker,
        connection.isPooled ? null : connection.pid,
        context.options.lockTimeoutMs,
      ),
      onApplied: (step: AppliedStep) => record(step, progress, request),
      onProgress: request.onProgress,
      onLong: request.onLong,
    };
    const { failed } = await executeUnits(connection, journal, look.plan.units, options);
    progress.failed.push(...failed);
    if (!signal.aborted) await lookAgain(context, connection, progress);
    // It may have taken long.
    await context.claims.follow(askOf(connection), look);
    const outcome = outcomeOf(progress);
    progress.outcome = outcome;
    await journal.end(outcome, failed[0]?.error ?? null);
  } catch (error) {
    await journal.end('failed', describeError(error)).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    await onlooker?.close();
  }
}

/** What was applied and is still wanted would be applied for ever: it is noted, and left to a person. */
async function lookAgain(
  { lookout, options: { journalSchema } }: HealContext,
  connection: Connection,
  progress: Progress,
): Promise<void> {
  const after = await lookout.look(connection);
  progress.seen(after);
  const applied = new Set(progress.applied.map(({ sql }) => sql));
  const stubborn = after.plan.drift.filter(
    // A fill goes on for as long as rows come that lack a value.
    ({ disposition, kind, sql }) =>
      disposition === 'heal' &&
      kind !== 'unfilled-column' &&
      sql.every((statement) => applied.has(statement)),
  );
  await noteNotConverging(connection, journalSchema, stubborn, after.plan.drift);
  if (stubborn.length > 0) progress.seen(await lookout.look(connection));
}

function record(step: AppliedStep, progress: Progress, request: HealRequest): void {
  progress.applied.push(step);
  request.onApplied?.(step);
}

function outcomeOf({ applied, failed, left }: Progress): 'healed' | 'partly-healed' | 'failed' {
  if (applied.length === 0 && failed.length > 0) return 'failed';
  return failed.length > 0 || left.length > 0 ? 'partly-healed' : 'healed';
}

/** What a check would call drift. */
function isLeft({ disposition }: Drift): boolean {
  return disposition === 'heal' || disposition === 'open';
}

/** A finding that was tried and failed is open for that reason. */
function withFailure(drift: Drift, failed: readonly FailedStep[]): Drift {
  const failure = failed.find(({ object }) => object === drift.object);
  if (!failure || drift.disposition !== 'heal') return drift;
  return { ...drift, disposition: 'open', reason: `${failure.action} failed: ${failure.error}` };
}
