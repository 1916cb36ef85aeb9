import type { InjectionToken } from '@nestjs/common';
import { CronTime } from 'cron';
import { z } from 'zod';
import { BackfillDeclarationShape, type BackfillDeclaration } from './desired/backfill-options.js';
import type { Ignore } from './drift/ignore.js';
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
   * The schema that holds the journal; made when it is missing.
   * @default 'auto_migration'
   */
  journalSchema?: string;
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
   * A check older than this degrades, in milliseconds, at least 1000. `false`: never.
   * @default 3600000, or false without a cron
   */
  staleAfterMs?: number | false;
  /**
   * How long a shutdown waits for the unit of work that is running to end or roll back, in milliseconds, 0 to 600000.
   * @default 5000
   */
  shutdownTimeoutMs?: number;
  /** @default {} */
  health?: HealthOptions;
}

type Resolved<Options, Optional extends keyof Options> = Required<Omit<Options, Optional>> &
  Pick<Options, Optional>;

/** Options with every default filled in. */
export type ResolvedMigratorOptions = Readonly<Resolved<AutoMigratorOptions, 'schemas'>>;
export type ResolvedModuleOptions = Readonly<
  Omit<Resolved<AutoMigrationModuleOptions, 'schemas' | 'timeZone' | 'dataSource'>, 'health'> & {
    readonly health: Readonly<Required<HealthOptions>>;
  }
>;

const milliseconds = (minimum: number, maximum: number): z.ZodInt =>
  z
    .int('is not a whole number of milliseconds')
    .min(minimum, `is below ${minimum} ms`)
    .max(maximum, `is above ${maximum} ms`);

const NO_OPTIONS = 'is no object of options';
const name = z.string('is not a text').min(1, 'is empty');
const patterns = z
  .array(z.union([name, z.instanceof(RegExp)], 'is neither a text nor a regular expression'))
  .optional();

const migratorShape = {
  policy: z.enum(['safe', 'off'], "is neither 'safe' nor 'off'").default('safe'),
  execution: z
    .enum(['online', 'atomic'], "is neither 'online' nor 'atomic'")
    .default(() => (process.env['NODE_ENV'] === 'production' ? 'online' : 'atomic')),
  schemas: z.array(name, 'is not a list of names').min(1, 'names no schema').optional(),
  ignore: z
    .strictObject({ tables: patterns, columns: patterns, indexes: patterns }, NO_OPTIONS)
    .default({})
    .transform((ignore) => ignore as Ignore),
  names: z.enum(['accept', 'align'], "is neither 'accept' nor 'align'").default('accept'),
  lockTimeoutMs: milliseconds(1, 60_000).default(1000),
  lockRetries: z.int('is not a whole number').min(0, 'is below 0').max(50, 'is above 50').default(5),
  lockBudgetMs: milliseconds(1, 600_000).default(2000),
  smallTableBytes: z
    .int('is not a whole number of bytes')
    .min(0, 'is below 0')
    .default(16 * 1024 * 1024),
  waitForHealerMs: milliseconds(0, 3_600_000).default(30_000),
  contractAfterMs: milliseconds(1000, 86_400_000).default(900_000),
  journalSchema: name
    .refine((text) => Buffer.byteLength(text) <= 63, 'is longer than 63 bytes')
    .default('auto_migration'),
  backfills: z.array(BackfillDeclarationShape, 'is no list of backfills').default(() => []),
};

const healthShape = {
  details: z.boolean('is neither true nor false').default(false),
  driftStatus: z.enum(['degraded', 'down'], "is neither 'degraded' nor 'down'").default('degraded'),
  path: z.union([name, z.literal(false)], 'is neither a path nor false').default(false),
};

const moduleShape = {
  ...migratorShape,
  dataSource: z
    .custom<InjectionToken>(
      (value) => ['string', 'symbol', 'function'].includes(typeof value),
      'is no injection token',
    )
    .optional(),
  initializeDataSource: z.boolean('is neither true nor false').default(false),
  onFailure: z.enum(['continue', 'abort'], "is neither 'continue' nor 'abort'").default('continue'),
  background: z.boolean('is neither true nor false').default(true),
  bootstrapBudgetMs: milliseconds(0, 3_600_000).default(30_000),
  cron: z
    .union(
      [name.refine(isCronExpression, 'is no cron expression'), z.literal(false)],
      'is neither a cron expression nor false',
    )
    .default('*/5 * * * *'),
  timeZone: name.refine(isTimeZone, 'is no time zone').optional(),
  jitterMs: milliseconds(0, 3_600_000).default(5000),
  staleAfterMs: z
    .union(
      [milliseconds(1000, Number.MAX_SAFE_INTEGER), z.literal(false)],
      'is neither at least 1000 ms nor false',
    )
    .optional(),
  shutdownTimeoutMs: milliseconds(0, 600_000).default(5000),
  health: z
    .strictObject(healthShape, NO_OPTIONS)
    .default(() => ({ details: false, driftStatus: 'degraded' as const, path: false as const })),
};

const MigratorOptions = z.strictObject(migratorShape, NO_OPTIONS);
const ModuleOptions = z.strictObject(moduleShape, NO_OPTIONS).transform((options) => ({
  ...options,
  staleAfterMs: options.staleAfterMs ?? (options.cron === false ? false : 3_600_000),
}));

/** @throws InvalidOptionError naming the option and its value */
export function resolveMigratorOptions(options: AutoMigratorOptions): ResolvedMigratorOptions {
  return parseOptions(MigratorOptions, options) as ResolvedMigratorOptions;
}

/** @throws InvalidOptionError naming the option and its value */
export function resolveModuleOptions(options: AutoMigrationModuleOptions): ResolvedModuleOptions {
  return parseOptions(ModuleOptions, options) as ResolvedModuleOptions;
}

/** The part of the module's options that the façade takes. */
export function migratorOptionsOf(options: ResolvedModuleOptions): AutoMigratorOptions {
  const keys = Object.keys(migratorShape) as (keyof AutoMigratorOptions)[];
  return Object.fromEntries(
    keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}

function isCronExpression(text: string): boolean {
  try {
    // '0 0 30 2 *' can be read, but has no next time, which would end the boot when the job is started.
    new CronTime(text).sendAt();
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
