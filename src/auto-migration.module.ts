import {
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { InvalidOptionError } from './errors.js';
import {
  resolveModuleOptions,
  type AutoMigrationModuleOptions,
  type ResolvedModuleOptions,
} from './auto-migration.options.js';
import { AutoMigrationService } from './watch/auto-migration.service.js';
import { DataFixDiscovery } from './watch/data-fix-discovery.js';
import { createHealthController } from './watch/health.controller.js';
import { AutoMigrationHealthIndicator } from './watch/health-indicator.js';
import { OPTIONS, RAW_OPTIONS } from './watch/tokens.js';
import { Watch } from './watch/watch.js';

/** Options that other providers bring. */
export interface AutoMigrationModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (
    ...dependencies: never[]
  ) => AutoMigrationModuleOptions | Promise<AutoMigrationModuleOptions>;
  /**
   * Contributes a health route at this path. Here and not in the factory's answer, as routes are made before it is asked.
   * @default false
   */
  readonly healthPath?: string | false;
}

/**
 * Heals the schema at bootstrap and watches it. Global, and best imported first: its bootstrap hook is then done before
 * any other module's.
 *
 * @example
 * ```ts
 * imports: [AutoMigrationModule.forRoot({ cron: '*\/5 * * * *' }), TypeOrmModule.forRoot({ … })]
 * ```
 */
@Module({})
export class AutoMigrationModule {
  /** @throws InvalidOptionError naming the option and the value */
  static forRoot(options: AutoMigrationModuleOptions = {}): DynamicModule {
    const { health } = resolveModuleOptions(options);
    return define({ provide: RAW_OPTIONS, useValue: options }, health.path);
  }

  /**
   * The factory's options are checked at boot; a wrong one fails it with an InvalidOptionError.
   *
   * @throws InvalidOptionError for a `healthPath` that is none
   */
  static forRootAsync(options: AutoMigrationModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, healthPath = false } = options;
    resolveModuleOptions({ health: { path: healthPath } });
    const provider = {
      provide: RAW_OPTIONS,
      inject,
      useFactory: useFactory as FactoryProvider['useFactory'],
    };
    return define(provider, healthPath, imports);
  }
}

function define(
  options: Provider,
  healthPath: string | false,
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  return {
    module: AutoMigrationModule,
    global: true,
    // Terminus is only needed whole for a route of ours; the indicator's service has no dependencies.
    imports: [DiscoveryModule, ...imports, ...(healthPath === false ? [] : [TerminusModule])],
    controllers: healthPath === false ? [] : [createHealthController(healthPath)],
    providers: [
      options,
      {
        provide: OPTIONS,
        inject: [RAW_OPTIONS],
        useFactory: (raw: AutoMigrationModuleOptions) => resolve(raw, healthPath),
      },
      HealthIndicatorService,
      DataFixDiscovery,
      AutoMigrationService,
      AutoMigrationHealthIndicator,
      Watch,
    ],
    exports: [AutoMigrationService, AutoMigrationHealthIndicator],
  };
}

function resolve(raw: AutoMigrationModuleOptions, healthPath: string | false): ResolvedModuleOptions {
  const options = resolveModuleOptions(raw);
  const { path } = options.health;
  if (path === false || path === healthPath) {
    return { ...options, health: { ...options.health, path: healthPath } };
  }
  throw new InvalidOptionError(
    'health.path',
    `'${path}' comes too late from a factory; give it as "healthPath" beside the factory`,
  );
}
