import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AutoMigrationModule, type AutoMigrationModuleOptions } from '../src/index.js';
import type { ResolvedModuleOptions } from '../src/auto-migration.options.js';
import { OPTIONS } from '../src/watch/tokens.js';

// Nothing here needs a database: what is wrong in the options ends the boot before one is looked for.
beforeEach(() => void vi.stubEnv('AUTO_MIGRATE', 'false'));
afterEach(() => vi.unstubAllEnvs());

async function resolvedBy(module: DynamicModule): Promise<ResolvedModuleOptions> {
  const testing = await Test.createTestingModule({ imports: [module] })

    .compile();
  const application = await testing.init();
  const options = application.get<ResolvedModuleOptions>(OPTIONS, { strict: false });
  await application.close();
  return options;
}

type Form = (options: AutoMigrationModuleOptions) => DynamicModule;

/** Each way of giving options to the module. */
const forms: [name: string, form: Form][] = [
  ['forRoot', (options) => AutoMigrationModule.forRoot(options)],
  ['forRootAsync', (options) => AutoMigrationModule.forRootAsync({ useFactory: () => options })],
  [
    'forRootAsync with a promise',
    (options) => AutoMigrationModule.forRootAsync({ useFactory: () => Promise.resolve(options) }),
  ],
];

const bad: [given: unknown, option: string, value: string][] = [
  [{ policy: 'yolo' }, 'policy', "'yolo'"],
  [{ execution: 1 }, 'execution', '1'],
  [{ schemas: [] }, 'schemas', '[]'],
  [{ ignore: { tables: 'audit' } }, 'ignore.tables', "'audit'"],
  [{ lockTimeoutMs: 0 }, 'lockTimeoutMs', '0'],
  [{ waitForHealerMs: '30s' }, 'waitForHealerMs', "'30s'"],
  [{ journalSchema: '' }, 'journalSchema', "''"],
  [{ dataSource: {} }, 'dataSource', '{}'],
  [{ initializeDataSource: 1 }, 'initializeDataSource', '1'],
  [{ onFailure: 'ignore' }, 'onFailure', "'ignore'"],
  [{ cron: 'hourly' }, 'cron', "'hourly'"],
  [{ timeZone: 'Vienna' }, 'timeZone', "'Vienna'"],
  [{ jitterMs: -5 }, 'jitterMs', '-5'],
  [{ staleAfterMs: 10 }, 'staleAfterMs', '10'],
  [{ shutdownTimeoutMs: null }, 'shutdownTimeoutMs', 'null'],
  [{ health: { driftStatus: 'error' } }, 'health.driftStatus', "'error'"],
  [{ enabledd: false }, 'enabledd', 'is not known'],
];

const badInEachForm = forms.flatMap(([name, form]) =>
  bad.map(([given, option, value]) => ({ name, form, given, option, value })),
);

test.each(badInEachForm)('$name fails the boot for $option', async ({ form, given, option, value }) => {
  const boot = async (): Promise<unknown> => resolvedBy(form(given as AutoMigrationModuleOptions));
  const error: unknown = await boot().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'InvalidOptionError', option });
  expect(String(error)).toContain(`Option "${option}" of nestjs-auto-migration: ${value}`);
});

test.each(forms)('%s boots with good options', async (_name, form) => {
  const options = await resolvedBy(form({ jitterMs: 7, journalSchema: 'heal', cron: false }));
  expect(options).toMatchObject({ jitterMs: 7, journalSchema: 'heal', cron: false, policy: 'safe' });
});

test('forRoot needs no options', async () => {
  expect(await resolvedBy(AutoMigrationModule.forRoot())).toMatchObject({
    policy: 'safe',
    cron: '*/5 * * * *',
  });
});

test('a factory is given what it injects, from modules that it imports', async () => {
  @Injectable()
  class Settings {
    readonly schema = 'from_settings';
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}
  const options = await resolvedBy(
    AutoMigrationModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: ({ schema }: Settings) => ({ journalSchema: schema }),
    }),
  );
  expect(options.journalSchema).toBe('from_settings');
});

test('a factory that throws fails the boot with its own error', async () => {
  const failing = AutoMigrationModule.forRootAsync({
    useFactory: () => {
      throw new Error('no settings here');
    },
  });
  await expect(resolvedBy(failing)).rejects.toThrow('no settings here');
});

/** Routes are made before a factory is asked, so that its answer would come too late. */
const paths: [healthPath: string | undefined, fromFactory: string | undefined, path: string | false][] = [
  [undefined, undefined, false],
  ['/health', undefined, '/health'],
  ['/health', '/health', '/health'],
];

const withPaths = (healthPath: string | undefined, fromFactory: string | undefined): DynamicModule =>
  AutoMigrationModule.forRootAsync({
    ...(healthPath === undefined ? {} : { healthPath }),
    useFactory: () => (fromFactory === undefined ? {} : { health: { path: fromFactory } }),
  });

test.each(paths)('healthPath %s beside a factory that says %s', async (healthPath, fromFactory, path) => {
  expect(await resolvedBy(withPaths(healthPath, fromFactory))).toMatchObject({ health: { path } });
});

test.each([[undefined], ['/other']])(
  'healthPath %s beside a factory that says something else',
  async (healthPath) => {
    await expect(resolvedBy(withPaths(healthPath, '/health'))).rejects.toThrow(
      `Option "health.path" of nestjs-auto-migration: '/health' comes too late from a factory; give it as "healthPath"`,
    );
  },
);

test('a healthPath that is none is refused', () => {
  expect(() => withPaths('', undefined)).toThrow(`Option "health.path" of nestjs-auto-migration: ''`);
});
