import type { InjectionToken } from '@nestjs/common';
import type { BackfillDeclaration } from './desired/backfill-options.js';
import type { FormerNames } from './desired/former-names.js';
import type { Ignore } from './drift/ignore.js';
import type { DataFixDefinition } from './heal/data-fix.js';
import type { StageFailure } from './heal/stages.js';
import { migratorShape, MigratorOptions, ModuleOptions } from './option-shapes.js';
import type { Execution, NamePolicy } from './plan/proposal.js';
import { parseOptions } from './parse-options.js';
import type { Policy } from './plan/policy.js';

/** How schemas are compared and healed: for {@link AutoMigrator}, and so for module and command line alike. */
export interface AutoMigratorOptions {
  /**
   * `'safe'`: a change is made unattended only if it loses nothing, cannot fail on the rows that are there and stops
   * nobody. `'off'`: look and report, never change anything.
   * @default 'safe'
   */
  policy?: Policy;
  /**
   * `'online'`: each unit of work in a transaction of its own, indexes built concurrently. `'atomic'`: everything in one
   * transaction, all or nothing.
   * @default 'online' when NODE_ENV is 'production', else 'atomic'
   */
  execution?: Execution;
  /**
   * The schemas to look at; entities of others are left alone.
   * @default those of the entities
   */
  schemas?: readonly string[];
  /**
   * Tables, columns and indexes that are neither compared nor changed, by pattern.
   * @default {}
   */
  ignore?: Ignore;
  /**
   * What is done about a constraint or index that is the same under another name than the entities': `'accept'` leaves
   * it, `'align'` renames it.
   * @default 'accept'
   */
  names?: NamePolicy;
  /**
   * What tables and columns were called before, for entities without classes that `@RenamedFrom` could stand on:
   * `{ tables: { staff: ['employee'] }, columns: { 'staff.first_name': ['forename'] } }`.
   * @default {}
   */
  renamedFrom?: FormerNames;
  /**
   * How long a statement may wait for a lock before it gives way, in milliseconds, 1 to 60000.
   * @default 1000
   */
  lockTimeoutMs?: number;
  /**
   * How often a unit is tried again after it gave way to a lock or a deadlock, at growing random intervals, 0 to 50.
   * Then it stays open until the next tick.
   * @default 5
   */
  lockRetries?: number;
  /**
   * How long a statement may hold a lock that stops others (with `execution: 'online'`) before it is rolled back, in
   * milliseconds, 1 to 600000.
   * @default 2000
   */
  lockBudgetMs?: number;
  /**
   * What rewrites or scans a table under a lock that stops others is done unattended only up to this size, in bytes.
   * @default 16777216
   */
  smallTableBytes?: number;
  /**
   * How long to wait for another process that is healing, in milliseconds, 0 to 3600000.
   * @default 30000
   */
  waitForHealerMs?: number;
  /**
   * How long after its processes were last seen another release counts as gone, in milliseconds, 1000 to 86400000.
   * Until then it leads if it is the newer one, and what would break its inserts waits. More than the distance of two ticks, or it counts as gone while it is there.
   * @default 900000
   */
  contractAfterMs?: number;
  /**
   * How long an approval of something that is open holds, in milliseconds, 1000 to 2592000000 (30 days).
   * @default 86400000
   */
  approvalTtlMs?: number;
  /**
   * The schema that holds the journal; made when it is missing. One in which the application has a table, a view … of
   * such a name (`run`, `step`, `fill` …) is refused, at the first look and by every one.
   * @default 'auto_migration'
   */
  journalSchema?: string;
  /**
   * Run the data source's pending TypeORM migrations before the healing, under the same lock, so that replicas do not
   * race for them.
   * @default false
   */
  runMigrations?: boolean;
  /**
   * Changes of rows that run after the healing, once per database, in the order of their ids. In an application with
   * Nest a provider decorated with `@DataFix` does the same.
   * @default []
   */
  dataFixes?: readonly DataFixDefinition[];
  /**
   * Whether a stage that failed keeps the later ones waiting for the next tick: `migrations` healing and data fixes,
   * `heal` (a statement failed; what only needs a person is no failure) the data fixes.
   * @default { migrations: 'stop', heal: 'stop' }
   */
  onStageFailure?: Partial<StageFailure>;
  /**
   * What `@Backfill` declares, for tables whose entities cannot be decorated.
   * @default []
   */
  backfills?: readonly BackfillDeclaration[];
}

/** What the health indicator shows. */
export interface HealthOptions {
  /**
   * Show findings, reasons and SQL. The answer of a health check is often public.
   * @default false
   */
  details?: boolean;
  /**
   * The status while drift is open or not known: `'down'` makes Terminus answer 503.
   * @default 'degraded'
   */
  driftStatus?: 'degraded' | 'down';
  /**
   * Contributes a health route at this path, for applications that have none: `'/health'`. `false`: no route.
   * @default false
   */
  path?: string | false;
}

/** Options of {@link AutoMigrationModule}. */
export interface AutoMigrationModuleOptions extends AutoMigratorOptions {
  /**
   * The data source: its name, or any token that it is provided under.
   * @default the default data source of @nestjs/typeorm
   */
  dataSource?: InjectionToken;
  /**
   * Call `initialize()` on a data source that is not initialised (`manualInitialization: true` of @nestjs/typeorm) and
   * go on trying at each tick. So the application starts even when the database is away.
   * @default false
   */
  initializeDataSource?: boolean;
  /**
   * What a failure at bootstrap does: `'continue'` lets the application start, degraded; `'abort'` ends the boot with the
   * error, also when drift stays open.
   * @default 'continue'
   */
  onFailure?: 'continue' | 'abort';
  /**
   * The boot waits for what is short only; index builds, validations and fills of tables larger than `smallTableBytes` go
   * on after the application listens. With `onFailure: 'abort'` the boot waits for all.
   * @default true
   */
  background?: boolean;
  /**
   * How long the boot waits for a healing of this or another process, in milliseconds, 0 to 3600000. Then the application
   * starts, degraded, and the healing goes on. Not with `onFailure: 'abort'`.
   * @default 30000
   */
  bootstrapBudgetMs?: number;
  /**
   * When to look and heal again, as a cron expression (five or six fields) or `false` for never.
   * @default '*\/5 * * * *'
   */
  cron?: string | false;
  /**
   * The time zone of `cron`, an IANA name.
   * @default the process's
   */
  timeZone?: string;
  /**
   * Each tick waits a random time up to this, so that replicas do not all look at once; milliseconds, 0 to 3600000.
   * @default 5000
   */
  jitterMs?: number;
  /**
   * A check older than this degrades, in milliseconds, at least 1000. `false`: never. Left out, `cron` decides: a check
   * degrades when a tick was due after it, and two minutes and `jitterMs` have passed since without another; never
   * without a cron.
   * @default by the cron
   */
  staleAfterMs?: number | false;
  /**
   * How long a shutdown waits for the unit of work that is running to end or roll back, in milliseconds, 0 to 600000.
   * Then its sessions are cut off.
   * @default 5000
   */
  shutdownTimeoutMs?: number;
  /** @default {} */
  health?: HealthOptions;
}

type Resolved<Options, Optional extends keyof Options> = Required<Omit<Options, Optional>> &
  Pick<Options, Optional>;

/** Options with every default filled in. */
export type ResolvedMigratorOptions = Readonly<
  Omit<Resolved<AutoMigratorOptions, 'schemas'>, 'onStageFailure'> & { readonly onStageFailure: StageFailure }
>;
export type ResolvedModuleOptions = Readonly<
  Omit<
    Resolved<AutoMigrationModuleOptions, 'schemas' | 'timeZone' | 'dataSource' | 'staleAfterMs'>,
    'health' | 'onStageFailure'
  > & {
    readonly health: Readonly<Required<HealthOptions>>;
    readonly onStageFailure: StageFailure;
  }
>;

/** @throws InvalidOptionError naming the option and its value */
export function resolveMigratorOptions(options: AutoMigratorOptions): ResolvedMigratorOptions {
  return parseOptions(MigratorOptions, options) as ResolvedMigratorOptions;
}

/** @throws InvalidOptionError naming the option and its value */
export function resolveModuleOptions(options: AutoMigrationModuleOptions): ResolvedModuleOptions {
  return parseOptions(ModuleOptions, options) as ResolvedModuleOptions;
}

/** The part of the module's options that the façade takes; what is left out stays so. */
export function migratorOptionsOf(
  options: AutoMigrationModuleOptions | ResolvedModuleOptions,
): AutoMigratorOptions {
  const keys = Object.keys(migratorShape) as (keyof AutoMigratorOptions)[];
  return Object.fromEntries(
    keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}
