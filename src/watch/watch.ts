import {
  Inject,
  Injectable,
  Optional,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { ResolvedModuleOptions } from '../auto-migration.options.js';
import { AutoMigrationError, describeError } from '../errors.js';
import { describeHealer } from '../heal/healer-lock.js';
import { stageFailureOf, type HealReport } from '../heal/heal-report.js';
import type { Trigger } from '../journal/records.js';
import { waitsForOlderRelease } from '../plan/older-release.js';
import { within } from '../within.js';
import { AutoMigrationService } from './auto-migration.service.js';
import { readSwitch } from './environment.js';
import { MigrationLogger } from './migration-logger.js';
import { Schedule } from './schedule.js';
import { OPTIONS } from './tokens.js';

/** Heals at bootstrap, goes on watching, and ends with the application. */
@Injectable()
export class Watch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new MigrationLogger();
  private schedule: Schedule | undefined;
  private running: Promise<HealReport | AutoMigrationError> | undefined;

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedModuleOptions,
    private readonly migrations: AutoMigrationService,
    @Optional() private readonly registry?: SchedulerRegistry,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const wanted = readSwitch(process.env);
    if (wanted === 'unclear') {
      this.logger.warn('AUTO_MIGRATE is neither true nor false and is ignored', {
        value: process.env['AUTO_MIGRATE'],
      });
    }
    if (wanted === 'off') {
      this.migrations.disable();
      this.logger.disabled();
      return;
    }
    if (this.options.onFailure === 'abort') assertHealed(await this.run('bootstrap'));
    else await this.runForAWhile();
    if (!this.migrations.stopped.aborted) this.startSchedule();
  }

  /** Before TypeORM closes its pool, which it does in onApplicationShutdown. */
  async onModuleDestroy(): Promise<void> {
    const stopped = Promise.all([this.migrations.stop(), this.schedule?.stop(), this.running]);
    const isDone = await within(
      this.options.shutdownTimeoutMs,
      stopped.then(() => true),
    );
    // What the server does not let go of would keep the process, and the locks that it waits for, from going.
    if (isDone !== true) await this.migrations.disconnect();
  }

  /** Waits for what is short and for no longer than the budget; what is left goes on in the background. */
  private async runForAWhile(): Promise<void> {
    const { background, bootstrapBudgetMs } = this.options;
    const run = new Promise<'ended' | 'long'>((resolve) => {
      const onLong = background ? (): void => resolve('long') : undefined;
      void this.run('bootstrap', onLong).then(() => resolve('ended'));
    });
    if ((await within(bootstrapBudgetMs, run)) !== 'ended')
      this.logger.inBackground(this.migrations.status().progress);
  }

  private startSchedule(): void {
    const { cron, timeZone, jitterMs } = this.options;
    if (cron === false) return;
    // What began at bootstrap may still go on.
    const onTick = (): Promise<unknown> => this.running ?? this.run('cron');
    const onError = (error: unknown): void =>
      this.logger.error('A tick failed', { error: describeError(error) });
    const signal = this.migrations.stopped;
    this.schedule = new Schedule({ cron, timeZone, jitterMs, signal, onTick, onError }, this.registry);
  }

  /** Never throws: what goes wrong is logged, shown on health and tried again at the next tick. */
  private run(trigger: Trigger, onLong?: () => void): Promise<HealReport | AutoMigrationError> {
    this.running = this.heal(trigger, onLong)
      .catch((error: unknown) => {
        const message = describeError(error);
        this.migrations.fail(message);
        this.logger.failed(message);
        return new AutoMigrationError(message, { cause: error });
      })
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  private async heal(trigger: Trigger, onLong: (() => void) | undefined): Promise<HealReport> {
    if (trigger === 'bootstrap') this.warnOfRivals();
    const report = await this.migrations.heal({
      trigger,
      onMigrations: (names) => this.logger.migrating(names),
      onPlan: (plan) => this.logger.found(plan),
      onApplied: (step) => this.logger.applied(step),
      onWait: (healer) => this.logger.waits(healer),
      ...(onLong === undefined ? {} : { onLong }),
    });
    this.logger.report(report, this.migrations.stopped.aborted);
    return report;
  }

  /** They have run already by now, and may have dropped or blocked what we would have kept. */
  private warnOfRivals(): void {
    const { options } = this.migrations.dataSource();
    const rivals = (['synchronize', 'dropSchema', 'migrationsRun'] as const).filter((name) => options[name]);
    if (rivals.length > 0)
      this.logger.warn('The data source changes the schema by itself; switch that off', { options: rivals });
  }
}

function assertHealed(report: HealReport | AutoMigrationError): void {
  if (report instanceof AutoMigrationError) throw report;
  if (report.outcome === 'failed')
    throw new AutoMigrationError(
      report.error ?? report.failed[0]?.error ?? stageFailureOf(report) ?? 'The healing failed',
    );
  if (report.outcome === 'another-healer')
    throw new AutoMigrationError(
      `${report.healer ? describeHealer(report.healer) : 'Another process'} is healing, and was not done within waitForHealerMs. Nothing was changed by this one; give it more time, or start it again once that has ended.`,
    );
  const failure = stageFailureOf(report);
  if (failure !== null) throw new AutoMigrationError(failure);
  // A deployment that waited here for the older release to go would never get it to.
  const open = report.open.filter((drift) => !waitsForOlderRelease(drift));
  if (open.length === 0) return;
  const objects = open.map(({ object, reason }) => `${object}: ${reason}`).join('; ');
  throw new AutoMigrationError(`The schema is not what the entities ask for. ${objects}`);
}
