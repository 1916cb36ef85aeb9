import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { ResolvedModuleOptions } from '../auto-migration.options.js';
import type { HealProgress } from '../heal/heal-progress.js';
import type { Healer } from '../heal/healer-lock.js';
import { AutoMigrationService } from './auto-migration.service.js';
import type { MigrationStatus } from './status.js';
import { OPTIONS } from './tokens.js';

/**
 * For the application's own health controller. Answers from memory and never throws.
 *
 * @example
 * ```ts
 * health.check([() => this.autoMigration.check('schema')])
 * ```
 */
@Injectable()
export class AutoMigrationHealthIndicator {
  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedModuleOptions,
    private readonly migrations: AutoMigrationService,
    private readonly health: HealthIndicatorService,
  ) {}

  /**
   * up: in sync, or switched off. degraded (or down, option `health.driftStatus`): drift is open, healing is under way,
   * the last run failed, or the last check is missing or too old.
   *
   * @param key the name under which Terminus shows it
   */
  check<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    const status = this.migrations.status();
    const session = this.health.check(key);
    if (!status.enabled) return session.up({ enabled: false });
    const data = { ...toPublic(status), ...(this.options.health.details ? toDetails(status) : {}) };
    if (status.state === 'up') return session.up(data);
    return this.options.health.driftStatus === 'down' ? session.down(data) : session.degraded(data);
  }
}

/** What anybody may read. */
function toPublic({
  reason,
  open,
  appliedSteps,
  lastCheckAt,
  lastHealAt,
  progress,
  healer,
}: MigrationStatus): Record<string, unknown> {
  return {
    enabled: true,
    reason,
    openDrift: open.length,
    appliedSteps,
    lastCheckAt,
    lastHealAt,
    ...(progress === null ? {} : { progress: toPublicProgress(progress) }),
    ...(healer === null ? {} : { healer: toPublicHealer(healer) }),
  };
}

function toPublicHealer({ host, address, pid, since }: Healer): Record<string, unknown> {
  return { host: host ?? address, pid, since };
}

/** Who blocks, so that somebody can end it; what it runs may hold the application's data. */
function toPublicProgress({
  step,
  of,
  action,
  phase,
  percent,
  blockedBy,
}: HealProgress): Record<string, unknown> {
  const blockers = blockedBy.map(({ pid, state, since }) => ({ pid, state, since }));
  return { step, of, action, phase, percent, blockedBy: blockers };
}

function toDetails({ drift, lastError, progress }: MigrationStatus): Record<string, unknown> {
  return { lastError, drift, ...(progress === null ? {} : { progress }) };
}
