import { z } from 'zod';
import { BackfillDeclarationShape } from './desired/backfill-options.js';
import type { FormerNames } from './desired/former-names.js';
import type { Ignore } from './drift/ignore.js';
import type { DataFixDefinition } from './heal/data-fix.js';
import { haveDifferentIds, isCronExpression, isDataFix, isTimeZone, milliseconds } from './option-checks.js';

const NO_OPTIONS = 'is no object of options';
const name = z.string('is not a text').min(1, 'is empty');
const stopOrContinue = z.enum(['stop', 'continue'], "is neither 'stop' nor 'continue'").default('stop');
const patterns = z
  .array(z.union([name, z.instanceof(RegExp)], 'is neither a text nor a regular expression'))
  .optional();
const formerNames = z.record(name, z.array(name, 'is not a list of names'), NO_OPTIONS).optional();

/** How each option is checked, and what it is when nothing is given. */
export const migratorShape = {
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
  renamedFrom: z
    .strictObject({ tables: formerNames, columns: formerNames }, NO_OPTIONS)
    .default({})
    .transform((given) => given as FormerNames),
  lockTimeoutMs: milliseconds(1, 60_000).default(1000),
  lockRetries: z.int('is not a whole number').min(0, 'is below 0').max(50, 'is above 50').default(5),
  lockBudgetMs: milliseconds(1, 600_000).default(2000),
  smallTableBytes: z
    .int('is not a whole number of bytes')
    .min(0, 'is below 0')
    .default(16 * 1024 * 1024),
  waitForHealerMs: milliseconds(0, 3_600_000).default(30_000),
  contractAfterMs: milliseconds(1000, 86_400_000).default(900_000),
  approvalTtlMs: milliseconds(1000, 2_592_000_000).default(86_400_000),
  journalSchema: name
    .refine((text) => Buffer.byteLength(text) <= 63, 'is longer than 63 bytes')
    .default('auto_migration'),
  runMigrations: z.boolean('is neither true nor false').default(false),
  dataFixes: z
    .array(z.custom<DataFixDefinition>(isDataFix, 'is no data fix: { id, run } and what else it may have'))
    .superRefine(haveDifferentIds)
    .default([]),
  onStageFailure: z
    .strictObject({ migrations: stopOrContinue, heal: stopOrContinue }, NO_OPTIONS)
    .default({ migrations: 'stop', heal: 'stop' }),
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
    .custom<unknown>(
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

export const MigratorOptions = z.strictObject(migratorShape, NO_OPTIONS);
export const ModuleOptions = z.strictObject(moduleShape, NO_OPTIONS);
