import type { LockMode } from '../plan/step.js';

/** What asked for a run. */
export type Trigger = 'bootstrap' | 'cron' | 'cli' | 'api';

export type RunOutcome = 'healed' | 'partly-healed' | 'failed' | 'interrupted' | 'running';

/** applied: committed; failed: refused, its unit rolled back; rolled-back: went with a later one of its unit. */
export type StepOutcome = 'applied' | 'failed' | 'rolled-back' | 'running';

export interface StepRecord {
  readonly object: string;
  readonly action: string;
  readonly sql: string;
  readonly lock: LockMode;
  readonly durationMs: number | null;
  readonly outcome: StepOutcome;
  readonly error: string | null;
}

/** One run that changed something, or tried to. */
export interface RunRecord {
  readonly id: string;
  readonly trigger: Trigger;
  readonly host: string;
  readonly pid: number;
  /** Of this package. */
  readonly version: string;
  readonly desiredHash: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null for a run that never ended. */
  readonly finishedAt: string | null;
  readonly outcome: RunOutcome;
  readonly error: string | null;
  readonly steps: readonly StepRecord[];
}
