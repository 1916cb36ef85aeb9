import { describeError } from '../errors.js';
import { askOf, type Ask, type Claims } from '../journal/claims.js';
import { Journal } from '../journal/journal.js';
import { closeUndos } from '../journal/undos.js';
import type { Trigger } from '../journal/records.js';
import type { Plan } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import type { Execution } from '../plan/proposal.js';
import { run as runSql, type Connect, type Connection } from '../schema/connection.js';
import type { Migrations } from '../desired/migrations.js';
import { noteOutgrown } from './consent.js';
import type { DataFixDefinition } from './data-fix.js';
import type { DataFixes, DataFixRun } from './data-fixes.js';
import { executeUnits } from './execute.js';
import { stageFailureOf, type AppliedStep, type HealReport } from './heal-report.js';
import type { HealProgress } from './heal-progress.js';
import { acquireHealerLock, currentHealer, type Healer, type HealerLock } from './healer-lock.js';
import { lookAgain } from './look-again.js';
import { isToBeKept, keepAlive, keepQuietly, newerRelease } from './leadership.js';
import { Observer } from './observer.js';
import { outcomeOf, Progress } from './progress.js';
import { inRounds } from './rounds.js';
import { assertSecondSession } from './second-session.js';
import { fixData, migrate, type StageFailure } from './stages.js';
import { assertGoingOn, heeding, unlessStopped } from './stopping.js';

/** Who asks for a healing, and how it can be stopped. */
export interface HealRequest {
  /** @default 'api' */
  readonly trigger?: Trigger;
  /** Ends the healing: the statement that is running is cancelled, its unit rolled back, and none is begun. */
  readonly signal?: AbortSignal;
  /** Told of the pending migrations before they run. */
  readonly onMigrations?: (names: readonly string[]) => void;
  /** Told of the plan before the first step, unless there is nothing to do. */
  readonly onPlan?: (plan: Plan) => void;
  /** Told of each step once it is committed. */
  readonly onApplied?: (step: AppliedStep) => void;
  /** Told where the healing is, at each step and several times a second. */
  readonly onProgress?: (progress: HealProgress) => void;
  /** Told once, when only what may take long without stopping anybody is left to do. */
  readonly onLong?: () => void;
  /** Told once of another process that is healing, when it has to be waited for. */
  readonly onWait?: (healer: Healer) => void;
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
  /** What was to be taken back and is not there any more, by the journal's ids of the steps. */
  readonly goneUndos: readonly string[];
  /** The journal knows columns by names alone. */
  readonly areFillsToNumber: boolean;
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
  /** Null where they are not asked for. */
  readonly migrations: Migrations | null;
  readonly dataFixes: DataFixes;
  readonly options: {
    readonly policy: Policy;
    readonly execution: Execution;
    readonly lockTimeoutMs: number;
    readonly lockRetries: number;
    readonly lockBudgetMs: number;
    readonly waitForHealerMs: number;
    readonly contractAfterMs: number;
    readonly journalSchema: string;
    readonly onStageFailure: StageFailure;
  };
}

/** Looks, and if there is something to do becomes the one healer, looks again and does it. Never throws. */
export async function heal(context: HealContext, request: HealRequest): Promise<HealReport> {
  const start = performance.now();
  const progress = new Progress();
  try {
    await healUnlessInSync(context, request, progress);
  } catch (error) {
    progress.brokeOff(describeError(error));
  }
  return progress.toReport(performance.now() - start);
}

async function healUnlessInSync(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
): Promise<void> {
  const isOff = context.options.policy === 'off';
  if (isOff) progress.outcome = 'skipped';
  const { lookout, ask, dataFixes, migrations } = context;
  const signal = signalOf(request);
  const known = await unlessStopped(lookout.glance(), signal);
  // A tick trusts what it knows: new migrations come with a new process.
  const asksForMigrations = migrations !== null && (request.trigger !== 'cron' || migrations.mayBePending);
  const hasMore = dataFixes.mayBeDue || asksForMigrations;
  if (known && (isOff || !(isToBeKept(context, known) || hasMore))) {
    progress.seen(known);
    if (!isOff) progress.supersededBy(await newerRelease(context, request, ask, known));
    return;
  }
  const connection = await unlessStopped(context.connect(), signal, (late) => late.close());
  try {
    const session = heeding(connection, signal);
    const look = await lookout.look(session);
    progress.seen(look);
    if (isOff || (await isSuperseded(context, request, progress, session, look))) return;
    await noteOutgrown(session, context.options.journalSchema, look.plan);
    const others = [await migrations?.pending(session), await dataFixes.due(session)];
    const isDue = [look.plan.units, ...others].some((each) => each && each.length > 0);
    if (isDue) await healAsTheOnlyOne(context, request, progress, connection);
    else if (isToBeKept(context, look)) await keepQuietly(context, session, look);
  } finally {
    await connection.close();
  }
}

function signalOf({ signal = new AbortController().signal }: HealRequest): AbortSignal {
  return signal;
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
  const deadline = Date.now() + context.options.waitForHealerMs;
  let lock = await becomeHealer(context, request, connection, deadline);
  if (lock?.isSecondHand) {
    // All who have waited would look one after the other. So they look at once, and most have nothing left to do.
    await lock.release();
    if (!(await whatIsLeft(context, request, progress, connection))) return;
    lock = await becomeHealer(context, request, connection, deadline);
  }
  if (!lock) {
    progress.outcome = 'another-healer';
    progress.healer = await currentHealer(connection, context.options.journalSchema);
    return;
  }
  try {
    await assertSecondSession(connection);
    // What was to do may have been done meanwhile, or a newer release may lead by now.
    const todo = await whatIsLeft(context, request, progress, connection);
    if (todo) await carryOut(context, request, progress, connection, todo, lock);
  } finally {
    await lock.release();
  }
}

function becomeHealer(
  { connect, options: { journalSchema } }: HealContext,
  request: HealRequest,
  connection: Connection,
  deadline: number,
): Promise<HealerLock | null> {
  return acquireHealerLock(connect, journalSchema, deadline - Date.now(), signalOf(request), async () => {
    const healer = await currentHealer(connection, journalSchema);
    if (healer) request.onWait?.(healer);
  });
}

/** What the stages of a run have to do. */
interface Todo {
  readonly look: Look;
  readonly pending: readonly string[];
  readonly fixes: readonly DataFixDefinition[];
}

/** Looks; answers with what there is to do for this release, if anything is. */
async function whatIsLeft(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  connection: Connection,
): Promise<Todo | undefined> {
  const session = heeding(connection, signalOf(request));
  const look = await context.lookout.look(session);
  progress.seen(look);
  if (await isSuperseded(context, request, progress, session, look)) return undefined;
  const fixes = await context.dataFixes.due(session);
  const pending = (await context.migrations?.pending(session)) ?? [];
  return look.plan.units.length + fixes.length + pending.length > 0 ? { look, pending, fixes } : undefined;
}

async function carryOut(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  connection: Connection,
  { look, fixes, pending }: Todo,
  lock: HealerLock,
): Promise<void> {
  const { journalSchema } = context.options;
  const signal = AbortSignal.any([signalOf(request), lock.lost]);
  assertGoingOn(signal);
  const journal = await Journal.begin(connection, journalSchema, request.trigger ?? 'api', look.desiredHash);
  progress.runId = journal.runId;
  const heartbeat = keepAlive(context, look);
  try {
    const session = heeding(connection, signal);
    await context.lookout.remember(session, look);
    // Where the journal was not there yet.
    await context.claims.claim(askOf(session), look);
    const run = { connection, journal, signal, onProgress: request.onProgress };
    if (pending.length > 0) request.onMigrations?.(pending);
    const toHeal = await migrate(context, look, pending, progress, run);
    if (toHeal) await healUnits(context, request, progress, run, toHeal);
    await fixData(context, fixes, progress, run);
    const outcome = outcomeOf(progress);
    progress.outcome = outcome;
    await journal.end(outcome, progress.failed[0]?.error ?? stageFailureOf(progress));
  } catch (error) {
    // What was stopped may have left its transaction open.
    await runSql(connection, 'rollback').catch(() => undefined);
    await journal.end('failed', describeError(error)).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

async function healUnits(
  context: HealContext,
  request: HealRequest,
  progress: Progress,
  { connection, journal, signal }: DataFixRun,
  { plan, goneUndos }: Look,
): Promise<void> {
  request.onPlan?.(plan);
  if (plan.units.length === 0) return;
  await closeUndos(connection, context.options.journalSchema, goneUndos);
  // Not the lock's session: that is in a transaction, and a concurrent index build waits for the end of each one that it
  // has met with a snapshot, be it for the moment of a question. Where no more sessions can be had, nobody looks.
  const onlooker = connection.isPooled ? null : await context.connect().catch(() => null);
  const pid = connection.isPooled ? null : connection.pid;
  try {
    const options = {
      ...context.options,
      signal,
      observer: new Observer(onlooker, pid, context.options.lockTimeoutMs),
      onApplied: (step: AppliedStep) => record(step, progress, request),
      onProgress: request.onProgress,
      onLong: request.onLong,
    };
    await inRounds(plan, async (units) => {
      const { failed } = await executeUnits(connection, journal, units, options);
      progress.failed.push(...failed);
      if (signal.aborted) {
        progress.leaveDone();
        return null;
      }
      const after = await lookAgain(context, connection, progress, signal);
      return failed.length > 0 ? null : after.plan;
    });
  } finally {
    await onlooker?.close();
  }
}

function record(step: AppliedStep, progress: Progress, request: HealRequest): void {
  progress.applied.push(step);
  request.onApplied?.(step);
}
