import type { CheckReport } from '../auto-migrator.js';
import type { HealProgress } from '../heal/heal-progress.js';
import { stageFailureOf, type HealReport } from '../heal/heal-report.js';
import type { Healer } from '../heal/healer-lock.js';
import { waitsForOlderRelease } from '../plan/older-release.js';
import type { Drift } from '../plan/plan.js';
import type { StaleAt } from './staleness.js';

/** Why a status is as it is. */
export type StatusReason =
  | 'in-sync'
  | 'disabled'
  | 'superseded'
  | 'older-release'
  | 'not-checked-yet'
  | 'healing'
  | 'another-healer'
  | 'drift'
  | 'stale'
  | 'failed';

/** Nothing is wrong with this process, and nobody has to do anything. */
const WELL: readonly StatusReason[] = ['in-sync', 'disabled', 'superseded', 'older-release'];

/** What the watch knows, from memory. Plain data. */
export interface MigrationStatus {
  readonly enabled: boolean;
  readonly state: 'up' | 'degraded';
  readonly reason: StatusReason;
  /** Findings that are not healed, those that will be and those that need a person. */
  readonly open: readonly Drift[];
  readonly appliedSteps: number;
  /** ISO 8601; null before the first. */
  readonly lastCheckAt: string | null;
  readonly lastHealAt: string | null;
  readonly lastError: string | null;
  /** Where the healing is that is under way in this process; null without one. */
  readonly progress: HealProgress | null;
  /** Another process that is healing and that this one waits or has waited for; null without one. */
  readonly healer: Healer | null;
  /** All findings, extra and accepted ones too. */
  readonly drift: readonly Drift[];
}

/** Holds what the last looks and runs brought. Answers without a query. */
export class StatusBoard {
  private enabled = true;
  /** Healings that have ended. */
  private runs = 0;
  private healing = false;
  private anotherHealer = false;
  private waiting = false;
  private healer: Healer | null = null;
  private progress: HealProgress | null = null;
  private superseded = false;
  private drift: readonly Drift[] | null = null;
  private appliedSteps = 0;
  private lastCheck: number | null = null;
  private staleAt = Infinity;
  private lastHeal: number | null = null;
  private lastError: string | null = null;

  constructor(private readonly staleAtOf: StaleAt) {}

  disabled(): void {
    this.enabled = false;
  }

  healingBegins(): void {
    this.healing = true;
    this.waiting = false;
    this.healer = null;
  }

  waitsFor(healer: Healer): void {
    this.waiting = true;
    this.healer = healer;
  }

  progressed(progress: HealProgress): void {
    this.progress = progress;
  }

  /** @returns what `checked` is to be given */
  checkBegins(): number {
    return this.runs;
  }

  /** A check that began before a healing ended may have seen what is no more: the healing's own look stands. */
  checked({ drift, error }: Pick<CheckReport, 'drift' | 'error'>, begun = this.runs): void {
    if (begun !== this.runs) return;
    this.lastError = error;
    if (error !== null) return;
    this.looked(drift);
  }

  healed(report: HealReport): void {
    const { outcome, healer, applied, drift, error, desiredHash } = report;
    this.runs += 1;
    this.rests();
    this.healer = healer;
    this.anotherHealer = outcome === 'another-healer';
    this.superseded = outcome === 'superseded';
    this.appliedSteps += applied.length;
    if (applied.length > 0) this.lastHeal = Date.now();
    this.lastError = error ?? stageFailureOf(report);
    // Without a hash it never came to look.
    if (desiredHash === null) return;
    this.looked(drift);
  }

  failed(error: string): void {
    this.rests();
    this.lastError = error;
  }

  current(): MigrationStatus {
    const reason = this.reason();
    return {
      enabled: this.enabled,
      state: WELL.includes(reason) ? 'up' : 'degraded',
      reason,
      open: this.open(),
      appliedSteps: this.appliedSteps,
      lastCheckAt: toIso(this.lastCheck),
      lastHealAt: toIso(this.lastHeal),
      lastError: this.lastError,
      progress: this.progress,
      healer: this.healer,
      drift: this.drift ?? [],
    };
  }

  private looked(drift: readonly Drift[]): void {
    this.drift = drift;
    this.lastCheck = Date.now();
    this.staleAt = this.staleAtOf(this.lastCheck);
  }

  private rests(): void {
    this.healing = false;
    this.waiting = false;
    this.progress = null;
    this.healer = null;
  }

  private open(): Drift[] {
    return (this.drift ?? []).filter(isOpen);
  }

  private reason(): StatusReason {
    if (!this.enabled) return 'disabled';
    if (this.healing) return 'healing';
    if (this.waiting) return 'another-healer';
    if (this.lastError !== null) return 'failed';
    if (this.lastCheck === null) return 'not-checked-yet';
    const isStale = Date.now() > this.staleAt;
    if (this.superseded) return isStale ? 'stale' : 'superseded';
    const open = this.open();
    if (!open.every(waitsForOlderRelease)) return this.anotherHealer ? 'another-healer' : 'drift';
    if (isStale) return 'stale';
    return open.length > 0 ? 'older-release' : 'in-sync';
  }
}

/** Whether a finding is not healed, be it yet or for a person. */
export function isOpen({ disposition }: Drift): boolean {
  return disposition === 'heal' || disposition === 'open';
}

function toIso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
