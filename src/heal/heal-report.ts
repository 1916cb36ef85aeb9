import type { Claim } from '../journal/claims.js';
import type { Drift } from '../plan/plan.js';
import type { LockMode } from '../plan/step.js';
import type { DataFixResult } from './data-fix.js';
import type { MigrationResult } from './migration-stage.js';
import type { Blocker } from './heal-progress.js';
import type { Healer } from './healer-lock.js';

/** A statement that has been committed. */
export interface AppliedStep {
  readonly object: string;
  readonly table: string | null;
  /** `add column` */
  readonly action: string;
  readonly sql: string;
  readonly lock: LockMode;
  readonly durationMs: number;
}

/** A statement that PostgreSQL refused. Its whole unit was rolled back. */
export interface FailedStep {
  readonly object: string;
  readonly action: string;
  readonly sql: string;
  /** PostgreSQL's message, and what stays as it was. */
  readonly error: string;
  /** Who had the lock that it waited for in vain. */
  readonly blockedBy: readonly Blocker[];
}

export type HealOutcome =
  /** In sync, or nothing that may be done unattended: see `open`. */
  | 'nothing-to-do'
  | 'healed'
  /** Something was applied, something is still open. */
  | 'partly-healed'
  /** Nothing could be applied, or the run broke off. */
  | 'failed'
  /** The policy is 'off'. */
  | 'skipped'
  /** Another process was healing for as long as we were willing to wait. */
  | 'another-healer'
  /** A newer release leads; this one's processes only watch. */
  | 'superseded';

export interface HealReport {
  readonly outcome: HealOutcome;
  /** Of the journal; null when nothing was tried. */
  readonly runId: string | null;
  readonly desiredHash: string | null;
  readonly durationMs: number;
  readonly applied: readonly AppliedStep[];
  readonly failed: readonly FailedStep[];
  /** What the database still lacks, looked at after the healing. */
  readonly open: readonly Drift[];
  /** All findings after the healing, extra and accepted ones too. */
  readonly drift: readonly Drift[];
  /** The migrations that were pending, in order. */
  readonly migrations: readonly MigrationResult[];
  /** The data fixes that were due, in order. */
  readonly dataFixes: readonly DataFixResult[];
  /** Who was healing, with 'another-healer'. */
  readonly healer: Healer | null;
  /** The release that leads in our place, with 'superseded'. */
  readonly leader: Claim | null;
  /** What could not be looked at, or not be trusted, and does not spoil the rest. */
  readonly warnings: readonly string[];
  readonly error: string | null;
}

/** What failed besides statements of the plan, as one sentence; null where nothing did. */
export function stageFailureOf({
  migrations,
  dataFixes,
}: Pick<HealReport, 'migrations' | 'dataFixes'>): string | null {
  const migration = migrations.find(({ outcome }) => outcome === 'failed');
  if (migration) return `The migration ${migration.name} failed: ${migration.error}`;
  const fix = dataFixes.find(({ outcome }) => outcome === 'failed');
  return fix ? `The data fix ${fix.id} failed: ${fix.error}` : null;
}
