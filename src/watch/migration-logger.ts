import { Logger } from '@nestjs/common';
import type { ApprovalReport } from '../heal/approve.js';
import type { HealProgress } from '../heal/heal-progress.js';
import { stageFailureOf, type AppliedStep, type HealReport } from '../heal/heal-report.js';
import type { RollbackReport } from '../heal/rollback.js';
import type { Healer } from '../heal/healer-lock.js';
import { waitsForOlderRelease } from '../plan/older-release.js';
import type { Drift, Plan } from '../plan/plan.js';

/** A step that takes longer gets a line of its own as soon as it is done: a long run should not be silent. */
const SLOW_STEP_MS = 1000;

/**
 * Says in the application's log what was found and done: constant messages with parameters, table by table. A tick that
 * finds all as the one before left it says nothing, at no level: Nest prints them all unless told otherwise.
 */
export class MigrationLogger {
  private readonly logger = new Logger('AutoMigration');
  /** What the last run left; undefined before the first, and after one that could not look. */
  private left: string | undefined;
  private isSuperseded = false;
  private waitedFor: string | undefined;

  warn(message: string, params: object = {}): void {
    this.logger.warn(message, params);
  }

  error(message: string, params: object = {}): void {
    this.logger.error(message, params);
  }

  disabled(): void {
    this.logger.log('Off: AUTO_MIGRATE is false');
  }

  /** A run that did not come to look. */
  failed(error: string): void {
    this.left = undefined;
    this.logger.error('Could not look or heal', { error });
  }

  /** What runs before anything else. */
  migrating(names: readonly string[]): void {
    this.logger.log('Migrations are pending', { names });
  }

  /** What was found, before anything is done about it. */
  found({ drift }: Pick<Plan, 'drift'>): void {
    const wanted = drift.filter(({ disposition }) => disposition === 'heal');
    for (const [table, findings] of byTable(wanted))
      this.logger.log('Missing or different', {
        table,
        drift: summarise(findings, table, ({ kind }) => kind),
      });
  }

  /** Somebody's word, with what it will cost. */
  approved({ approved }: ApprovalReport): void {
    for (const { drift, approval } of approved) {
      const { id, object, kind } = drift;
      const { by, expiresAt, loss } = approval;
      this.logger.log('Approved', { id, object, kind, by, loss, expiresAt });
    }
  }

  /** A run that somebody wanted undone. */
  rolledBack(undone: string, by: string, report: RollbackReport): void {
    const { outcome, runId: run, applied, failed, open, notUndone, error } = report;
    const counts = {
      applied: applied.length,
      failed: failed.length,
      open: open.length,
      left: notUndone.length,
    };
    if (error !== null) this.logger.error('Could not undo', { undone, by, error });
    else this.logger.log('Undone', { undone, by, outcome, run, ...counts });
  }

  /** The application starts before all is healed. */
  inBackground(progress: HealProgress | null): void {
    const at = progress && { step: progress.step, of: progress.of, object: progress.object };
    this.logger.log('Healing goes on in the background', at ?? {});
  }

  /** Another process that heals, each one once. */
  waits(healer: Healer): void {
    if (this.waitedFor === healer.since) return;
    this.waitedFor = healer.since;
    this.logger.log('Waiting for another healer', { healer });
  }

  /** A step that has been committed. */
  applied({ object, action, lock, durationMs }: AppliedStep): void {
    if (durationMs < SLOW_STEP_MS) return;
    this.logger.log('A step took long', { object, action, lock, ms: durationMs });
  }

  /**
   * What a run did and left.
   *
   * @param stopped whether the application was shutting down, so that what broke off is nobody's fault
   */
  report(report: HealReport, stopped = false): void {
    const { runId, warnings } = report;
    if (report.error === null) this.leads(report);
    const left = fingerprint(report);
    const isNews = report.leader === null && (runId !== null || report.error !== null || left !== this.left);
    this.left = report.error === null ? left : undefined;
    if (!isNews) return;
    this.migrated(report, stopped);
    this.healed(report);
    this.fixed(report, stopped);
    for (const warning of warnings) this.logger.warn('Not everything could be compared', { warning });
    const hasFailed = report.error !== null || report.failed.length > 0 || stageFailureOf(report) !== null;
    if (stopped && hasFailed) this.broken(report);
    else this.outcome(report);
  }

  /** Says when another release has taken the lead, and when ours has it again. */
  private leads({ leader, open }: HealReport): void {
    if (leader && !this.isSuperseded) {
      const { desiredHash, claimedAt: since, version } = leader;
      const params = { release: desiredHash.slice(0, 12), since, version, open: open.length };
      this.logger.log('A newer release leads: this one only watches', params);
    }
    if (!leader && this.isSuperseded) this.logger.log('This release leads again');
    this.isSuperseded = leader !== null;
  }

  private healed({ applied }: HealReport): void {
    for (const [table, steps] of byTable(applied)) {
      const ms = Math.round(steps.reduce((sum, { durationMs }) => sum + durationMs, 0) * 10) / 10;
      this.logger.log('Healed', { table, steps: summarise(steps, table, ({ action }) => action), ms });
    }
  }

  private migrated({ migrations }: HealReport, stopped: boolean): void {
    for (const { name, outcome, durationMs, error } of migrations) {
      if (outcome === 'applied') this.logger.log('Migration applied', { name, ms: durationMs });
      if (outcome === 'failed' && !stopped) this.logger.error('A migration failed', { name, error });
    }
  }

  private fixed({ dataFixes }: HealReport, stopped: boolean): void {
    for (const { id, outcome, durationMs, error } of dataFixes) {
      if (outcome === 'applied') this.logger.log('Data fix applied', { id, ms: durationMs });
      if (outcome === 'failed' && !stopped) this.logger.error('A data fix failed', { id, error });
    }
    const waiting = dataFixes.filter(({ outcome }) => outcome === 'left-out').map(({ id }) => id);
    if (waiting.length > 0 && !stopped)
      this.logger.warn('Data fixes wait for what failed before', { ids: waiting });
  }

  private broken({ runId, applied, open }: HealReport): void {
    const counts = { run: runId, applied: applied.length, open: open.length };
    this.logger.warn('Stopped by the shutdown; the next run goes on', counts);
  }

  private outcome(report: HealReport): void {
    const { outcome, runId: run, applied, failed, open, durationMs: ms } = report;
    for (const { object, action, sql, error } of failed)
      this.logger.error('A step failed', { object, action, error, sql });
    for (const drift of open) this.open(drift);
    if (outcome === 'another-healer')
      this.logger.warn('Another process is healing', { healer: report.healer, open: open.length });
    else if (report.error !== null)
      this.logger.error('Could not look or heal', { error: report.error, applied: applied.length, ms });
    else if (run !== null)
      this.logger.log('Done', { outcome, run, applied: applied.length, open: open.length, ms });
    else if (!open.every(waitsForOlderRelease))
      this.logger.warn('Drift stays open', { open: open.length, ms });
    else if (open.length === 0) this.logger.log('In sync: nothing to do', { ms });
  }

  /** What the next run, or another process, will heal needs nobody. */
  private open(drift: Drift): void {
    const { id, object, kind, desired, actual, reason } = drift;
    if (waitsForOlderRelease(drift)) this.logger.log('Waits for an older release', { object, kind, reason });
    else if (drift.disposition === 'open')
      this.logger.warn('Open: needs a person', { id, object, kind, desired, actual, reason });
  }
}

/** Equal as long as there is nothing new to say: that an older release was seen once more is no news. */
function fingerprint({ open, warnings, outcome, healer }: HealReport): string {
  const findings = open.map((drift) => {
    const { kind, object, reason } = drift;
    return [kind, object, waitsForOlderRelease(drift) ? 'older-release' : reason];
  });
  return JSON.stringify([findings, warnings, outcome === 'another-healer' ? healer : null]);
}

interface OfTable {
  readonly object: string;
  readonly table: string | null;
}

/** In the tables' order, so that what was found and what was done stand alike. */
function byTable<Item extends OfTable>(items: readonly Item[]): [table: string, items: Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const table = item.table ?? item.object;
    groups.set(table, [...(groups.get(table) ?? []), item]);
  }
  return [...groups].toSorted(([one], [other]) => one.localeCompare(other));
}

/** `['add column first_name, last_name', 'create index idx_staff_username']` */
function summarise<Item extends OfTable>(
  items: readonly Item[],
  table: string,
  what: (item: Item) => string,
): string[] {
  const names = new Map<string, string[]>();
  for (const item of items) {
    const name = shorten(item.object, table);
    names.set(what(item), [...(names.get(what(item)) ?? []), ...(name === null ? [] : [name])]);
  }
  return [...names].map(([key, objects]) => [key, objects.join(', ')].join(' ').trim());
}

/** Under its table `public.staff.first_name` is `first_name`, and `public.idx_staff` is `idx_staff`. */
function shorten(object: string, table: string): string | null {
  if (object === table) return null;
  const [schema = ''] = /^(?:"(?:[^"]|"")+"|[^".]+)\./.exec(table) ?? [];
  const prefix = [`${table}.`, schema].find((each) => object.startsWith(each)) ?? '';
  return object.slice(prefix.length);
}
