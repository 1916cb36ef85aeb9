import { DataSource } from 'typeorm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  migratorOptionsOf,
  resolveMigratorOptions,
  resolveModuleOptions,
  type AutoMigrationModuleOptions,
  type AutoMigratorOptions,
} from '../src/auto-migration.options.js';
import { InvalidOptionError } from '../src/errors.js';

afterEach(() => vi.unstubAllEnvs());

const defaults = {
  policy: 'safe',
  execution: 'atomic',
  ignore: {},
  names: 'accept',
  renamedFrom: {},
  lockTimeoutMs: 1000,
  lockRetries: 5,
  lockBudgetMs: 2000,
  smallTableBytes: 16_777_216,
  waitForHealerMs: 30_000,
  contractAfterMs: 900_000,
  approvalTtlMs: 86_400_000,
  journalSchema: 'auto_migration',
  dataFixes: [],
  runMigrations: false,
  onStageFailure: { migrations: 'stop', heal: 'stop' },
  backfills: [],
  initializeDataSource: false,
  onFailure: 'continue',
  background: true,
  bootstrapBudgetMs: 30_000,
  cron: '*/5 * * * *',
  jitterMs: 5000,
  shutdownTimeoutMs: 5000,
  health: { details: false, driftStatus: 'degraded', path: false },
};

test('every default is as the options say', () => {
  expect(resolveModuleOptions({})).toEqual(defaults);
});

test.each(['production', 'development', 'test', undefined])(
  'execution by default under NODE_ENV %s',
  (environment) => {
    vi.stubEnv('NODE_ENV', environment);
    expect(resolveModuleOptions({}).execution).toBe(environment === 'production' ? 'online' : 'atomic');
    expect(resolveModuleOptions({ execution: 'atomic' }).execution).toBe('atomic');
  },
);

const good: AutoMigrationModuleOptions[] = [
  { policy: 'safe' },
  { policy: 'off' },
  { execution: 'online' },
  { execution: 'atomic' },
  { schemas: ['public', 'Sales "2026"'] },
  { ignore: { tables: ['audit_*', /^public\.tmp_/], columns: [], indexes: ['idx_manual_*'] } },
  { names: 'align' },
  { renamedFrom: { tables: { staff: ['employee'] }, columns: { 'staff.first_name': ['forename'] } } },
  { lockTimeoutMs: 1 },
  { lockTimeoutMs: 60_000 },
  { waitForHealerMs: 0 },
  { waitForHealerMs: 3_600_000 },
  { contractAfterMs: 1000 },
  { contractAfterMs: 86_400_000 },
  { approvalTtlMs: 1000 },
  { approvalTtlMs: 2_592_000_000 },
  { journalSchema: 'x'.repeat(63) },
  { dataFixes: [{ id: '1', run: () => Promise.resolve(), repeat: 'every-boot', transaction: 'none' }] },
  { runMigrations: true },
  { onStageFailure: { migrations: 'continue', heal: 'continue' } },
  { backfills: [{ table: 'staff', column: 'first_name', expression: 'username' }] },
  { dataSource: 'reports' },
  { dataSource: Symbol('reports') },
  { dataSource: DataSource },
  { initializeDataSource: true },
  { onFailure: 'abort' },
  { cron: '* * * * * *' },
  { cron: '0 0 29 2 *' },
  { cron: '@daily' },
  { cron: false, staleAfterMs: false },
  { timeZone: 'Europe/Vienna' },
  { jitterMs: 0 },
  { jitterMs: 3_600_000 },
  { staleAfterMs: 1000 },
  { staleAfterMs: false },
  { shutdownTimeoutMs: 0 },
  { shutdownTimeoutMs: 600_000 },
  { health: { details: true, driftStatus: 'down', path: '/health' } },
];

test.each(good.map((options) => ({ options })))('good: $options', ({ options }) => {
  expect(resolveModuleOptions(options)).toEqual({ ...defaults, ...options });
});

const partly: [given: AutoMigrationModuleOptions, resolved: object][] = [
  [{ health: { details: true } }, { health: { ...defaults.health, details: true } }],
  [{ health: {} }, { health: defaults.health }],
  [{ cron: false }, { cron: false }],
  [
    { cron: false, staleAfterMs: 5000 },
    { cron: false, staleAfterMs: 5000 },
  ],
];

test.each(partly)('what is left out of %j has its default', (given, resolved) => {
  expect(resolveModuleOptions(given)).toEqual({ ...defaults, ...resolved });
});

test('an option that is undefined counts as left out', () => {
  const nothing = Object.fromEntries(
    [...Object.keys(defaults), 'schemas', 'dataSource', 'timeZone', 'staleAfterMs'].map((key) => [
      key,
      undefined,
    ]),
  );
  expect(resolveModuleOptions(nothing)).toEqual(defaults);
});

/**
 * Any JavaScript can come as options: a configuration file, a variable of the environment that was not converted.
 * Here: what is given, the option that is to blame, and the words that must stand in the message beside its name.
 */
const nick = { table: 'staff', column: 'nick', expression: 'username' };

const URL = 'postgres://ada:s3cret@db/hotel';
/** Cut, it would end before the @. */
const LONG_URL = `postgres://ada:${'s3cret'.repeat(20)}@db/hotel`;

const bad: [given: unknown, option: string, words: string][] = [
  [{ policy: 'yolo' }, 'policy', "'yolo' is neither 'safe' nor 'off'"],
  [{ policy: false }, 'policy', "false is neither 'safe' nor 'off'"],
  [{ execution: 'concurrent' }, 'execution', "'concurrent' is neither 'online' nor 'atomic'"],
  [{ schemas: 'public' }, 'schemas', "'public' is not a list of names"],
  [{ schemas: [] }, 'schemas', '[] names no schema'],
  [{ schemas: [''] }, 'schemas.0', "'' is empty"],
  [{ schemas: ['public', 1] }, 'schemas.1', '1 is not a text'],
  [{ ignore: ['audit'] }, 'ignore', "[ 'audit' ] is no object of options"],
  [{ ignore: { tables: [1] } }, 'ignore.tables.0', '1 is neither a text nor a regular expression'],
  [{ ignore: { views: [] } }, 'ignore.views', 'is not known'],
  [{ renamedFrom: { tables: { staff: 'employee' } } }, 'renamedFrom.tables.staff', 'is not a list of names'],
  [{ renamedFrom: { staff: ['employee'] } }, 'renamedFrom.staff', 'is not known'],
  [{ lockTimeoutMs: 0 }, 'lockTimeoutMs', '0 is below 1 ms'],
  [{ lockTimeoutMs: 60_001 }, 'lockTimeoutMs', '60001 is above 60000 ms'],
  [{ lockTimeoutMs: 1.5 }, 'lockTimeoutMs', '1.5 is not a whole number of milliseconds'],
  [{ lockTimeoutMs: '1000' }, 'lockTimeoutMs', "'1000' is not a whole number of milliseconds"],
  [{ lockTimeoutMs: NaN }, 'lockTimeoutMs', 'NaN is not a whole number of milliseconds'],
  [{ waitForHealerMs: -1 }, 'waitForHealerMs', '-1 is below 0 ms'],
  [{ waitForHealerMs: 3_600_001 }, 'waitForHealerMs', '3600001 is above 3600000 ms'],
  [{ contractAfterMs: 999 }, 'contractAfterMs', '999 is below 1000 ms'],
  [{ approvalTtlMs: 999 }, 'approvalTtlMs', '999 is below 1000 ms'],
  [{ journalSchema: '' }, 'journalSchema', "'' is empty"],
  [{ journalSchema: 'ü'.repeat(32) }, 'journalSchema', 'is longer than 63 bytes'],
  [{ dataFixes: {} }, 'dataFixes', '{} '],
  [{ dataFixes: [{ id: '1' }] }, 'dataFixes.0', '{ id: … } is no data fix'],
  [{ dataFixes: [{ id: '', run: () => 0 }] }, 'dataFixes.0', 'is no data fix'],
  [{ dataFixes: [{ id: '1', run: () => 0, repeat: 'often' }] }, 'dataFixes.0', 'is no data fix'],
  [
    { dataFixes: ['1', '1'].map((id) => ({ id, run: () => 0 })) },
    'dataFixes.1.id',
    `'1' is the id of another one, too`,
  ],
  [{ runMigrations: 'yes' }, 'runMigrations', "'yes' is neither true nor false"],
  [{ onStageFailure: { heal: 'abort' } }, 'onStageFailure.heal', "'abort' is neither 'stop' nor 'continue'"],
  [{ backfills: {} }, 'backfills', '{} is no list of backfills'],
  [{ backfills: [{ table: 'staff', column: 'nick' }] }, 'backfills.0.expression', 'undefined is not a text'],
  [{ backfills: [{ ...nick, expression: ' ' }] }, 'backfills.0.expression', "' ' is empty"],
  [{ backfills: [{ ...nick, batchSize: 0 }] }, 'backfills.0.batchSize', '0 is below 1'],
  [{ backfills: [{ ...nick, pauseMs: -1 }] }, 'backfills.0.pauseMs', '-1 is below 0 ms'],
  [{ backfills: [{ ...nick, repeat: 'always' }] }, 'backfills.0.repeat', "'always' is neither 'once' nor"],
  [{ backfills: [{ ...nick, using: 'x' }] }, 'backfills.0.using', 'is not known'],
  [{ dataSource: 1 }, 'dataSource', '1 is no injection token'],
  [{ dataSource: { host: 'h', pwd: 's3cret' } }, 'dataSource', '{ host: …, pwd: … } is no'],
  [{ dataSource: { connectionString: URL } }, 'dataSource', '{ connectionString: … } is no'],
  [{ initializeDataSource: 'yes' }, 'initializeDataSource', "'yes' is neither true nor false"],
  [{ onFailure: 'exit' }, 'onFailure', "'exit' is neither 'continue' nor 'abort'"],
  [{ cron: 'each minute' }, 'cron', "'each minute' is no cron expression"],
  [{ cron: '61 * * * *' }, 'cron', "'61 * * * *' is no cron expression"],
  [{ cron: '* * * * * * *' }, 'cron', "'* * * * * * *' is no cron expression"],
  [{ cron: '0 0 30 2 *' }, 'cron', "'0 0 30 2 *' is no cron expression"],
  [{ cron: true }, 'cron', 'true is neither a cron expression nor false'],
  [{ cron: 5 }, 'cron', '5 is neither a cron expression nor false'],
  [{ timeZone: 'Mars/Olympus' }, 'timeZone', "'Mars/Olympus' is no time zone"],
  [{ timeZone: '' }, 'timeZone', "'' is"],
  [{ jitterMs: -1 }, 'jitterMs', '-1 is below 0 ms'],
  [{ jitterMs: Infinity }, 'jitterMs', 'Infinity is'],
  [{ staleAfterMs: 999 }, 'staleAfterMs', '999 is'],
  [{ staleAfterMs: true }, 'staleAfterMs', 'true is neither at least 1000 ms nor false'],
  [{ shutdownTimeoutMs: 600_001 }, 'shutdownTimeoutMs', '600001 is above 600000 ms'],
  [{ health: true }, 'health', 'true is no object of options'],
  [{ health: { details: 'all' } }, 'health.details', "'all' is neither true nor false"],
  [{ health: { driftStatus: 'up' } }, 'health.driftStatus', "'up' is neither 'degraded' nor 'down'"],
  [{ health: { path: true } }, 'health.path', 'true is neither a path nor false'],
  [{ health: { path: '' } }, 'health.path', "'' is"],
  [{ health: { route: '/health' } }, 'health.route', 'is not known'],
  [{ polciy: 'off' }, 'polciy', 'is not known'],
  [{ synchronize: true }, 'synchronize', 'is not known'],
  [null, '(all)', 'null is no object of options'],
  ['safe', '(all)', "'safe' is no object of options"],
  [URL, '(all)', "'postgres://***@db/hotel' is no object of options"],
  [{ cron: URL }, 'cron', "'postgres://***@db/hotel' is no cron expression"],
  [{ execution: LONG_URL }, 'execution', "'postgres://***@db/hotel' is"],
];

test.each(bad)('bad: %j', (given, option, words) => {
  const resolve = (): unknown => resolveModuleOptions(given as AutoMigrationModuleOptions);
  expect(resolve).toThrow(InvalidOptionError);
  expect(resolve).toThrow(`Option "${option}" of nestjs-auto-migration: `);
  expect(resolve).toThrow(words);
  expect(resolve).not.toThrow('s3cret');
});

test('a long value is cut', () => {
  expect(() => resolveModuleOptions({ cron: 'x'.repeat(5000) })).toThrow(/^.{100,200}$/);
});

describe('the façade', () => {
  test('knows its own options and no other', () => {
    const ofTheModule = [
      'initializeDataSource',
      'onFailure',
      'background',
      'bootstrapBudgetMs',
      'cron',
      'jitterMs',
      'shutdownTimeoutMs',
      'health',
    ];
    const own = Object.entries(defaults).filter(([name]) => !ofTheModule.includes(name));
    expect(resolveMigratorOptions({})).toEqual(Object.fromEntries(own));
    expect(() => resolveMigratorOptions({ cron: false } as AutoMigratorOptions)).toThrow('Option "cron"');
  });

  test("takes the module's options that it knows", () => {
    const options = resolveModuleOptions({
      schemas: ['public'],
      policy: 'off',
      cron: false,
      health: { path: '/x' },
    });
    expect(resolveMigratorOptions(migratorOptionsOf(options))).toMatchObject({
      schemas: ['public'],
      policy: 'off',
    });
    expect(migratorOptionsOf(resolveModuleOptions({}))).not.toHaveProperty('schemas');
  });
});
