import type { Claim } from '../journal/claims.js';
import type { Drift, Plan } from '../plan/plan.js';
import type { DataFixResult } from './data-fix.js';
import type { AppliedStep, FailedStep, HealOutcome, HealReport } from './heal-report.js';
import type { MigrationResult } from './migration-stage.js';

interface Seen {
  readonly desiredHash: string;
  readonly plan: Plan;
  readonly warnings: readonly string[];
}

/** What has happened so far, so that a run that breaks off still tells what it did. */
export class Progress {
  outcome: HealOutcome = 'nothing-to-do';
  runId: string | null = null;
  error: string | null = null;
  healer: HealReport['healer'] = null;
  leader: Claim | null = null;
  readonly applied: AppliedStep[] = [];
  readonly failed: FailedStep[] = [];
  readonly migrations: MigrationResult[] = [];
  readonly dataFixes: DataFixResult[] = [];
  private desiredHash: string | null = null;
  private drift: readonly Drift[] = [];
  private readonly warnings = new Set<string>();

  get found(): readonly Drift[] {
    return this.drift.map((each) => withReason(withFailure(each, this.failed), this.whyLeft));
  }

  /** Why what could be healed was not. */
  private get whyLeft(): string {
    const { outcome, error, failed, migrations } = this;
    const migration = migrations.find((each) => each.outcome === 'failed');
    if (migration)
      return `it waits for the migration ${migration.name}, which failed; the next run tries both`;
    const [first] = failed;
    if (first) return `it was left, as ${first.action} ${first.object} failed; the next run tries both`;
    if (outcome === 'another-healer') return 'another process is healing';
    if (outcome === 'superseded') return 'a newer release leads';
    return error === null
      ? 'it can be healed by now; the next run does'
      : 'the run broke off before it; the next one tries it';
  }

  /** What is not healed yet. */
  get left(): readonly Drift[] {
    return this.found.filter(isLeft);
  }

  seen({ desiredHash, plan, warnings }: Seen): void {
    warnings.forEach((warning) => this.warnings.add(warning));
    this.desiredHash = desiredHash;
    this.drift = plan.drift;
  }

  /** Nobody looks again. */
  brokeOff(error: string): void {
    this.outcome = 'failed';
    this.error = error;
    this.leaveDone();
  }

  /** What was found before is still there but for what was done of it. */
  leaveDone(): void {
    const done = new Set(this.applied.map(({ sql }) => sql));
    this.drift = this.drift.filter(({ sql }) => sql.length === 0 || !sql.every((each) => done.has(each)));
  }

  supersededBy(leader: Claim | null): void {
    this.leader = leader;
    if (leader) this.outcome = 'superseded';
  }

  toReport(durationMs: number): HealReport {
    const { outcome, runId, desiredHash, applied, failed, healer, leader, error, found } = this;
    const { migrations, dataFixes } = this;
    return {
      outcome,
      runId,
      desiredHash,
      durationMs: Math.round(durationMs * 10) / 10,
      applied,
      failed,
      open: this.left,
      drift: found,
      migrations,
      dataFixes,
      healer,
      leader,
      warnings: [...this.warnings],
      error,
    };
  }
}

export function outcomeOf(progress: Progress): 'healed' | 'partly-healed' | 'failed' {
  const { applied, failed, left } = progress;
  const others = [...progress.migrations, ...progress.dataFixes];
  const hasFailed = failed.length > 0 || others.some(({ outcome }) => outcome !== 'applied');
  const hasChanged = applied.length > 0 || others.some(({ outcome }) => outcome === 'applied');
  if (hasFailed && !hasChanged) return 'failed';
  return hasFailed || left.length > 0 ? 'partly-healed' : 'healed';
}

/** What a check would call drift. */
function isLeft({ disposition }: Drift): boolean {
  return disposition === 'heal' || disposition === 'open';
}

function withReason(drift: Drift, why: string): Drift {
  return drift.disposition === 'heal' && drift.reason === null ? { ...drift, reason: why } : drift;
}

/** A finding that was tried and failed is open for that reason. */
function withFailure(drift: Drift, failed: readonly FailedStep[]): Drift {
  const failure = failed.find(({ object }) => object === drift.object);
  if (!failure || drift.disposition !== 'heal') return drift;
  return { ...drift, disposition: 'open', reason: `${failure.action} failed: ${failure.error}` };
}
