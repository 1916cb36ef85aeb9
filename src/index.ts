export { AutoMigrationModule, type AutoMigrationModuleAsyncOptions } from './auto-migration.module.js';
export type {
  AutoMigrationModuleOptions,
  AutoMigratorOptions,
  HealthOptions,
} from './auto-migration.options.js';
export { AutoMigrator, type CheckReport, type CheckRequest, type PlanReport } from './auto-migrator.js';
export type { FormerNames } from './desired/former-names.js';
export { RenamedFrom } from './desired/renamed-from.js';
export { Backfill } from './desired/backfill.decorator.js';
export type { BackfillDeclaration, BackfillOptions } from './desired/backfill-options.js';
export type { DriftKind } from './drift/drift-kind.js';
export type { Ignore, NamePattern } from './drift/ignore.js';
export {
  AutoMigrationError,
  ConnectionError,
  DataSourceError,
  DataSourceFileError,
  DesiredSchemaError,
  HealingStoppedError,
  InvalidOptionError,
  JournalError,
  PoolTooSmallError,
} from './errors.js';
export type { ApprovalReport, ApprovedDrift } from './heal/approve.js';
export type {
  DataFixDefinition,
  DataFixOptions,
  DataFixProgress,
  DataFixResult,
  DataFixTask,
} from './heal/data-fix.js';
export type { HealRequest } from './heal/heal.js';
export type { Blocker, HealProgress } from './heal/heal-progress.js';
export type { AppliedStep, FailedStep, HealOutcome, HealReport } from './heal/heal-report.js';
export type { Healer } from './heal/healer-lock.js';
export type { MigrationResult } from './heal/migration-stage.js';
export type { RollbackReport, RollbackRequest } from './heal/rollback.js';
export type { StageFailure } from './heal/stages.js';
export type { Claim } from './journal/claims.js';
export type { RunOutcome, RunRecord, StepOutcome, StepRecord, Trigger } from './journal/records.js';
export type { Approval, MeasuredLoss } from './plan/approval.js';
export type { HazardKind } from './plan/hazard.js';
export type { Drift, Plan, PlannedUnit } from './plan/plan.js';
export type { Disposition, Policy } from './plan/policy.js';
export type { Execution } from './plan/proposal.js';
export type { NotUndone } from './plan/undo-run.js';
export type { LockMode, Phase, Step, Unit } from './plan/step.js';
export { AutoMigrationHealthIndicator } from './watch/health-indicator.js';
export { AutoMigrationService } from './watch/auto-migration.service.js';
export { DataFix } from './watch/data-fix.decorator.js';
export type { MigrationEvent } from './watch/events.js';
export type { MigrationStatus, StatusReason } from './watch/status.js';
