import { Logger } from '@nestjs/common';
import type { AppliedStep, HealReport } from '../heal/heal-report.js';
import type { Drift, Plan } from '../plan/plan.js';

/** Says in the application's log what was found and done: constant messages with parameters, table by table. */
export class MigrationLogger {
  private readonly logger = new Logger('AutoMigration');

  warn(message: string, params: object = {}): void {
    this.logger.warn(message, params);
  }

  error(message: string, params: object = {}): void {
    this.logger.error(message, params);
  }

  disabled(): void {
    this.logger.log('Off: AUTO_MIGRATE is false');
  }

  /** What was found, before anything is done about it. */
  found({ drift }: Pick<Plan, 'drift'>): void {
    for (const [table, findings] of byTable(drift.filter(({ disposition }) => disposition === 'heal'))) {
      this.logger.log('Missing or different', {
        table,
        drift: findings.map(({ kind, object }) => `${kind} ${shorten(object, table)}`),
      });
    }
  }

  /** What a run did and left. */
  report(report: HealReport): void {
    const { outcome, durationMs, applied, open, runId } = report;
    for (const [table, steps] of byTable(applied))
      this.logger.log('Healed', { table, steps: steps.map((step) => describeStep(step, table)) });
    for (const { object, action, sql, error } of report.failed)
      this.logger.error('A step failed', { object, action, error, sql });
    for (const { object, kind, reason } of open)
      this.logger.warn('Open: needs a person', { object, kind, reason });
    if (outcome === 'another-healer')
      this.logger.warn('Another process is healing', { healer: report.healer });
    else if (report.error !== null)
      this.logger.error('Could not look or heal', {
        error: report.error,
        applied: applied.length,
        ms: durationMs,
      });
    else if (runId === null && open.length === 0)
      this.logger.log('In sync: nothing to do', { ms: durationMs });
    else if (runId === null) this.logger.warn('Drift stays open', { open: open.length, ms: durationMs });
    else
      this.logger.log('Done', {
        outcome,
        run: runId,
        applied: applied.length,
        open: open.length,
        ms: durationMs,
      });
  }
}

function byTable<Item extends Pick<Drift | AppliedStep, 'table' | 'object'>>(
  items: readonly Item[],
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const table = item.table ?? item.object;
    groups.set(table, [...(groups.get(table) ?? []), item]);
  }
  return groups;
}

/** `public.staff.first_name` under its table is `first_name`. */
function shorten(object: string, table: string): string {
  return object.startsWith(`${table}.`) ? object.slice(table.length + 1) : object;
}

function describeStep({ object, action, durationMs }: AppliedStep, table: string): string {
  const name = object === table ? '' : ` ${shorten(object, table)}`;
  return `${action}${name} (${durationMs} ms)`;
}
