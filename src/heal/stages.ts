import type { DataFixDefinition, DataFixResult } from './data-fix.js';
import { leftOut, type DataFixRun } from './data-fixes.js';
import type { HealContext, Look } from './heal.js';
import type { FailedStep } from './heal-report.js';
import { runMigrations, type MigrationResult } from './migration-stage.js';
import { heeding } from './stopping.js';

/** What a stage that failed does to the ones after it: `'stop'` leaves them for the next tick. */
export interface StageFailure {
  /** To healing and data fixes. */
  readonly migrations: 'stop' | 'continue';
  /** To data fixes. */
  readonly heal: 'stop' | 'continue';
}

/** What the stages know of the run so far, and add to it. */
export interface StageProgress {
  readonly failed: readonly FailedStep[];
  readonly migrations: MigrationResult[];
  readonly dataFixes: DataFixResult[];
  readonly left: readonly unknown[];
  seen(look: Look): void;
}

/**
 * Before the healing.
 *
 * @returns what is to be healed now that they have run; null where their failure leaves the healing out
 */
export async function migrate(
  context: HealContext,
  look: Look,
  pending: readonly string[],
  progress: StageProgress,
  run: DataFixRun,
): Promise<Look | null> {
  if (!context.migrations || pending.length === 0) return look;
  progress.migrations.push(...(await runMigrations(context.migrations, pending, run)));
  if (run.signal.aborted) return null;
  const after = await context.lookout.look(heeding(run.connection, run.signal));
  progress.seen(after);
  return migrationsStop(context, progress) ? null : after;
}

/** After the healing. What a fix did to rows may be what a finding waited for: that is healed by the next run. */
export async function fixData(
  context: HealContext,
  due: readonly DataFixDefinition[],
  progress: StageProgress,
  run: DataFixRun,
): Promise<void> {
  const { dataFixes, lookout, options } = context;
  const healStops = progress.failed.length > 0 && options.onStageFailure.heal === 'stop';
  const isBarred = run.signal.aborted || healStops || migrationsStop(context, progress);
  progress.dataFixes.push(...(isBarred ? due.map(leftOut) : await dataFixes.run(due, run)));
  const hasChanged = progress.dataFixes.some(({ outcome }) => outcome === 'applied');
  if (hasChanged && progress.left.length > 0 && !run.signal.aborted)
    progress.seen(await lookout.look(heeding(run.connection, run.signal)));
}

function migrationsStop({ options }: HealContext, { migrations }: StageProgress): boolean {
  const hasFailed = migrations.some(({ outcome }) => outcome !== 'applied');
  return hasFailed && options.onStageFailure.migrations === 'stop';
}
