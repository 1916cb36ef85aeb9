import type { AddressInfo } from 'node:net';
import {
  Controller,
  Get,
  Module,
  type DynamicModule,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import type { EntitySchema } from 'typeorm';
import {
  AutoMigrationHealthIndicator,
  AutoMigrationModule,
  AutoMigrationService,
  type AutoMigrationModuleOptions,
} from '../../src/index.js';
import { closeAfter } from '../setup/open-resources.js';
import { RecordedLog } from './recorded-log.js';

/** The application's own health route, as most applications have one. */
@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly migrations: AutoMigrationHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.migrations.check('schema')]);
  }
}

@Module({})
class ApplicationModule {}

export interface Application {
  readonly nest: INestApplication;
  readonly log: RecordedLog;
  readonly migrations: AutoMigrationService;
  /** Asks over HTTP. */
  readonly get: (path?: string) => Promise<{ status: number; body: HealthCheckResult }>;
  readonly close: () => Promise<void>;
}

export interface ApplicationOptions {
  readonly migration?: AutoMigrationModuleOptions;
  /** In place of the one that `migration` would make. */
  readonly migrationModule?: DynamicModule;
  readonly database?: { readonly url: string };
  readonly entities?: readonly EntitySchema[];
  /** Of TypeORM, beside the database and the entities. */
  readonly typeorm?: Partial<TypeOrmModuleOptions>;
  /** Of the application, beside ours and TypeORM's. */
  readonly imports?: ModuleMetadata['imports'];
  readonly providers?: ModuleMetadata['providers'];
  /**
   * Where our module stands among the imports.
   * @default 'first'
   */
  readonly place?: 'first' | 'last';
  /** Without it the application has a health controller of its own. */
  readonly health?: 'own' | 'none';
}

/** An application with everything made and no hook run yet. */
export async function createApplication(options: ApplicationOptions): Promise<Application> {
  const log = new RecordedLog();
  const nest = await NestFactory.create(toModule(options), { logger: log, abortOnError: false });
  let isOpen = true;
  const application: Application = {
    nest,
    log,
    migrations: nest.get(AutoMigrationService, { strict: false }),
    async get(path = '/health') {
      const { port } = (nest.getHttpServer() as { address(): AddressInfo }).address();
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, body: (await answer.json()) as HealthCheckResult };
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await nest.close();
    },
  };
  closeAfter('test', () => application.close());
  return application;
}

/** An application that has booted and listens. It is closed after the test. */
export async function startApplication(options: ApplicationOptions): Promise<Application> {
  const application = await createApplication(options);
  await application.nest.listen(0, '127.0.0.1');
  return application;
}

function toModule(options: ApplicationOptions): DynamicModule {
  const { imports = [], providers = [], place = 'first', health = 'own' } = options;
  const own = options.migrationModule ?? AutoMigrationModule.forRoot({ cron: false, ...options.migration });
  const typeorm = options.database ? [TypeOrmModule.forRoot(toDataSource(options))] : [];
  const others = [...typeorm, TerminusModule, ...imports];
  return {
    module: ApplicationModule,
    imports: place === 'first' ? [own, ...others] : [...others, own],
    controllers: health === 'own' ? [HealthController] : [],
    providers,
  };
}

function toDataSource({ database, entities = [], typeorm }: ApplicationOptions): TypeOrmModuleOptions {
  const url = database?.url ?? '';
  return {
    type: 'postgres',
    url,
    entities: [...entities],
    retryAttempts: 0,
    ...typeorm,
  } as TypeOrmModuleOptions;
}
