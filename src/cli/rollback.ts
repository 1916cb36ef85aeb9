import type { AutoMigrator } from '../auto-migrator.js';
import { InvalidOptionError } from '../errors.js';
import type { RollbackReport } from '../heal/rollback.js';
import { ExitCode } from './exit-code.js';
import { user } from './user.js';

/**
 * Takes a run back.
 *
 * @throws InvalidOptionError when not just one run is named
 */
export async function rollBackRun(
  migrator: AutoMigrator,
  { ids = [], by = user() }: { readonly ids?: readonly string[]; readonly by?: string },
  signal: AbortSignal,
): Promise<{ report: RollbackReport; text: string; exitCode: ExitCode }> {
  const [runId] = ids;
  if (runId === undefined || ids.length > 1)
    throw new InvalidOptionError('run', 'name one run, by the number that history prints');
  const report = await migrator.rollback(runId, by, { trigger: 'cli', signal });
  return { report, text: print(report), exitCode: exitCodeOf(report) };
}

function exitCodeOf({ outcome, failed, open, notUndone }: RollbackReport): ExitCode {
  if (outcome === 'failed' || outcome === 'another-healer' || failed.length > 0) return ExitCode.failed;
  return outcome === 'undone' || open.length + notUndone.length === 0 ? ExitCode.ok : ExitCode.drift;
}

function print({ outcome, runId, applied, failed, open, notUndone, pinned, error }: RollbackReport): string {
  const run = runId === null ? '' : `, run ${runId}`;
  return [
    ...applied.map((step) => `  ${step.action} ${step.object} (${step.durationMs} ms)`),
    ...failed.map((step) => `  FAILED ${step.action} ${step.object}: ${step.error}\n         ${step.sql}`),
    ...open.map(({ id, object, actual, reason }) => `  OPEN ${id} undo ${actual} ${object}: ${reason}`),
    ...notUndone.map(({ object, action, reason }) => `  NOT UNDONE ${action} ${object}: ${reason}`),
    ...pinned.map(({ id, kind, object }) => `  PINNED ${id} ${kind} ${object}`),
    ...(error === null ? [] : [`  ${error}`]),
    `${outcome}: ${applied.length} undone, ${open.length} open, ${notUndone.length} that cannot be${run}`,
  ].join('\n');
}
