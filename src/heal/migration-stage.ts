import type { Migrations } from '../desired/migrations.js';
import { describeError } from '../errors.js';
import type { DataFixRun } from './data-fixes.js';
import { assertGoingOn } from './stopping.js';

/** How a migration of this run ended. Plain data. */
export interface MigrationResult {
  readonly name: string;
  /** rolled-back: it went with a later one that failed. left-out: its turn did not come. */
  readonly outcome: 'applied' | 'failed' | 'rolled-back' | 'left-out';
  readonly durationMs: number | null;
  readonly error: string | null;
}

interface Begun {
  readonly stepId: string;
  readonly at: number;
}

const MIGRATION = { kind: 'migration', desired: null, actual: null };

/** Runs the pending migrations. What has become of them is read from TypeORM's own table. */
export async function runMigrations(
  migrations: Migrations,
  pending: readonly string[],
  { connection, journal, signal, onProgress }: DataFixRun,
): Promise<MigrationResult[]> {
  const begun = new Map<string, Begun>();
  const failure = await migrations
    .run(async (name) => {
      assertGoingOn(signal);
      const step = {
        object: name,
        action: 'migration',
        sql: `-- migration ${name}`,
        lock: 'NONE',
        drift: MIGRATION,
      } as const;
      const [stepId = ''] = await journal.stepsBegin([step]);
      begun.set(name, { stepId, at: performance.now() });
      const { object, action } = step;
      const seen = { phase: null, percent: null, remainingMs: null, blockedBy: [] };
      onProgress?.({ step: begun.size, of: pending.length, object, action, ...seen });
    })
    .then(() => null, describeError);
  const end = performance.now();
  const left = new Set(await migrations.pending(connection));
  // One that TypeORM refuses before it begins any (a wrong name, a mode that does not go together) stands for all.
  const culprit = [...begun.keys()].at(-1) ?? pending[0];
  const starts = [...[...begun.values()].map(({ at }) => at).slice(1), end];
  const durations = new Map([...begun].map(([name, { at }], i) => [name, (starts[i] ?? end) - at]));
  const results = pending.map((name): MigrationResult => {
    if (!left.has(name))
      return { name, outcome: 'applied', durationMs: round(durations.get(name) ?? 0), error: null };
    if (failure !== null && name === culprit)
      return { name, outcome: 'failed', durationMs: null, error: failure };
    return { name, outcome: begun.has(name) ? 'rolled-back' : 'left-out', durationMs: null, error: null };
  });
  for (const { name, outcome, durationMs, error } of results) {
    const step = begun.get(name);
    if (step && outcome !== 'left-out') await journal.stepEnds(step.stepId, { outcome, durationMs, error });
  }
  return results;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
