import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Subject, type Observable } from 'rxjs';
import type { DataSource } from 'typeorm';
import {
  migratorOptionsOf,
  type AutoMigratorOptions,
  type ResolvedModuleOptions,
} from '../auto-migration.options.js';
import { AutoMigrator, type CheckReport } from '../auto-migrator.js';
import { initializeInTime } from '../desired/initialize.js';
import { HealingStoppedError } from '../errors.js';
import type { ApprovalReport } from '../heal/approve.js';
import type { HealRequest } from '../heal/heal.js';
import { stageFailureOf, type HealReport } from '../heal/heal-report.js';
import { unlessStopped } from '../heal/stopping.js';
import type { RollbackReport } from '../heal/rollback.js';
import type { RunRecord } from '../journal/records.js';
import { DataFixDiscovery } from './data-fix-discovery.js';
import { findDataSource } from './data-source-lookup.js';
import type { MigrationEvent } from './events.js';
import { MigrationLogger } from './migration-logger.js';
import { staleAtOf } from './staleness.js';
import { isOpen, StatusBoard, type MigrationStatus } from './status.js';
import { OPTIONS } from './tokens.js';

/**
 * Looks and heals on behalf of the application, and knows how things stand.
 *
 * @example
 * ```ts
 * constructor(private readonly migrations: AutoMigrationService) {
 *   migrations.events.subscribe((event) => { if (event.type === 'failed') alert(event.error); });
 * }
 * ```
 */
@Injectable()
export class AutoMigrationService {
  /** What is found, healed and failed from now on. */
  readonly events: Observable<MigrationEvent>;

  private readonly subject = new Subject<MigrationEvent>();
  private readonly board: StatusBoard;
  private migrator: AutoMigrator | undefined;
  private healing: Promise<HealReport> | undefined;
  private readonly checks = new Set<Promise<CheckReport>>();
  private opening: Promise<unknown> | undefined;
  private readonly stopping = new AbortController();
  private readonly logger = new MigrationLogger();

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedModuleOptions,
    private readonly moduleRef: ModuleRef,
    private readonly discovery: DataFixDiscovery,
  ) {
    this.board = new StatusBoard(staleAtOf(options));
    this.events = this.subject.asObservable();
  }

  /**
   * Compares the entities with the database; changes nothing. What keeps it from looking is in the report.
   *
   * @throws DataSourceError when the application has no such data source
   */
  async check(): Promise<CheckReport> {
    const migrator = await this.ready();
    const begun = this.board.checkBegins();
    const report = await this.checkWith(migrator);
    this.board.checked(report, begun);
    if (report.error !== null) this.subject.next({ type: 'failed', error: report.error });
    else if (report.verdict === 'drift')
      this.subject.next({ type: 'drift', drift: report.drift.filter(isOpen) });
    return report;
  }

  /**
   * Heals what the policy allows; also with AUTO_MIGRATE=false, as here somebody asked. While a healing is under way in this process, answers with that one's report.
   *
   * @throws DataSourceError when the application has no such data source
   */
  heal(request: HealRequest = {}): Promise<HealReport> {
    this.healing ??= this.healNow(request).finally(() => {
      this.healing = undefined;
    });
    return this.healing;
  }

  /**
   * Approves findings, open or extra: the next healing does what their SQL says, once, if it costs no more by then.
   *
   * @param ids those of the findings in a report or in `status().drift`
   * @param by who approves, for the journal
   * @throws InvalidOptionError without a name, ConnectionError, DataSourceError, DesiredSchemaError, JournalError
   */
  async approve(ids: readonly string[], by: string): Promise<ApprovalReport> {
    const migrator = await this.ready();
    const report = await migrator.approve(ids, by);
    this.logger.approved(report);
    return report;
  }

  /**
   * Takes back what a run has done, as far as no data is lost that was written since. See {@link AutoMigrator.rollback}.
   *
   * @param runId as in the history
   * @param by who wants it, for the journal
   * @throws InvalidOptionError without a name, DataSourceError
   */
  async rollback(runId: string, by: string): Promise<RollbackReport> {
    const migrator = await this.ready();
    const report = await migrator.rollback(runId, by, { signal: this.stopped });
    this.logger.rolledBack(runId, by, report);
    this.board.checked(await migrator.check());
    return report;
  }

  /** How things stand, from memory. */
  status(): MigrationStatus {
    return this.board.current();
  }

  /**
   * The latest runs that changed something or tried to, newest first.
   *
   * @param limit at most so many, 20 unless told
   * @throws ConnectionError, DataSourceError
   */
  async history(limit?: number): Promise<RunRecord[]> {
    const migrator = await this.ready();
    return migrator.history(limit);
  }

  /** The application's data source. */
  dataSource(): DataSource {
    return findDataSource(this.moduleRef, this.options.dataSource);
  }

  /** Aborts when the application shuts down. @internal */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** Ends the healing that is under way, whoever asked for it, and settles when it has ended. @internal */
  async stop(): Promise<void> {
    this.stopping.abort(new HealingStoppedError('the application shuts down'));
    await Promise.allSettled([this.healing, ...this.checks]);
  }

  /** Ends what did not heed that, at once. @internal */
  async disconnect(): Promise<void> {
    await this.migrator?.disconnect();
  }

  /** Says that the switch is off. @internal */
  disable(): void {
    this.board.disabled();
  }

  /** Tells of a failure outside a run. @internal */
  fail(error: string): void {
    this.board.failed(error);
    this.subject.next({ type: 'failed', error });
  }

  private checkWith(migrator: AutoMigrator): Promise<CheckReport> {
    const check = migrator.check({ signal: this.stopped });
    this.checks.add(check);
    return check.finally(() => this.checks.delete(check));
  }

  private async healNow(request: HealRequest): Promise<HealReport> {
    const migrator = await this.ready();
    const onPlan: HealRequest['onPlan'] = (plan) => {
      this.board.healingBegins();
      request.onPlan?.(plan);
    };
    const onMigrations: HealRequest['onMigrations'] = (names) => {
      this.board.healingBegins();
      request.onMigrations?.(names);
    };
    const signal = request.signal ? AbortSignal.any([this.stopped, request.signal]) : this.stopped;
    const onProgress: HealRequest['onProgress'] = (progress) => {
      this.board.progressed(progress);
      request.onProgress?.(progress);
    };
    const onWait: HealRequest['onWait'] = (healer) => {
      this.board.waitsFor(healer);
      request.onWait?.(healer);
    };
    const callbacks = { onPlan, onMigrations, onProgress, onWait };
    const report = await migrator.heal({ ...request, signal, ...callbacks });
    this.board.healed(report);
    const error = report.error ?? stageFailureOf(report);
    if (report.error === null) this.publish(report);
    if (error !== null) this.subject.next({ type: 'failed', error });
    return report;
  }

  private publish(report: HealReport): void {
    const hasFixed = [...report.migrations, ...report.dataFixes].some(({ outcome }) => outcome === 'applied');
    if (report.applied.length > 0 || hasFixed) this.subject.next({ type: 'healed', report });
    if (report.open.length > 0 && report.outcome !== 'superseded')
      this.subject.next({ type: 'drift', drift: report.open });
  }

  private async ready(): Promise<AutoMigrator> {
    const dataSource = this.dataSource();
    if (!dataSource.isInitialized && this.options.initializeDataSource)
      await unlessStopped(this.open(dataSource), this.stopped, () => dataSource.destroy());
    return (this.migrator ??= new AutoMigrator(dataSource, this.migratorOptions()));
  }

  /** Providers are there only once the application is made, so its data fixes are found here. */
  private migratorOptions(): AutoMigratorOptions {
    const dataFixes = [...this.options.dataFixes, ...this.discovery.find()];
    return { ...migratorOptionsOf(this.options), dataFixes };
  }

  /** Twice at once would leave a pool behind that nobody closes. */
  private open(dataSource: DataSource): Promise<unknown> {
    this.opening ??= initializeInTime(dataSource).finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }
}
