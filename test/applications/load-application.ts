import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { MigrationInterface } from 'typeorm';

type Class<Instance = object> = new () => Instance;

/** What an application gives to its data source. */
export interface Application {
  readonly entities: Class[];
  readonly migrations: Class<MigrationInterface>[];
}

/** Where tools/applications put them; empty unless `npm run test:applications` runs this. */
const FOLDER = process.env['APPLICATIONS'] ?? '';

export function isFetched(name: string): boolean {
  return FOLDER !== '' && existsSync(join(FOLDER, name));
}

/** By the application's own way to find them. */
export const APPLICATIONS: Readonly<Record<string, () => Promise<Application>>> = {
  flowise: loadFlowise,
  medusa: loadMedusa,
  n8n: loadN8n,
  veramo: loadVeramo,
};

function modulesOf(name: string): NodeJS.Require {
  return createRequire(join(FOLDER, name, 'node_modules', 'any.js'));
}

async function loadFlowise(): Promise<Application> {
  const load = modulesOf('flowise');
  // These two would load the whole application. They write log lines and decrypt rows, of which there are none.
  for (const path of ['dist/utils/logger.js', 'dist/enterprise/utils/encryption.util.js'])
    standIn(load, `./flowise/${path}`);
  const { entities } = load('./flowise/dist/database/entities/index.js') as {
    entities: Record<string, Class>;
  };
  const { postgresMigrations } = load('./flowise/dist/database/migrations/postgres/index.js') as {
    postgresMigrations: Class<MigrationInterface>[];
  };
  return { entities: Object.values(entities), migrations: postgresMigrations };
}

function standIn(load: NodeJS.Require, path: string, exports: object = {}): void {
  const filename = load.resolve(path);
  load.cache[filename] = Object.assign(Object.create(null) as NodeJS.Module, {
    id: filename,
    filename,
    loaded: true,
    exports,
  });
}

interface Flags {
  isFeatureEnabled(flag: string): boolean;
}

async function loadMedusa(): Promise<Application> {
  process.env['MEDUSA_DISABLE_TELEMETRY'] = 'true';
  const load = modulesOf('medusa');
  const dist = join(FOLDER, 'medusa', 'node_modules', '@medusajs', 'medusa', 'dist');
  const { default: loadFlags } = load(join(dist, 'loaders/feature-flags/index.js')) as {
    default: (config: object) => Flags;
  };
  const flags = loadFlags({});
  const modules = (folder: string): Record<string, unknown>[] =>
    readdirSync(join(dist, folder))
      .filter((file) => file.endsWith('.js') && file !== 'index.js')
      .map((file) => load(join(dist, folder, file)) as Record<string, unknown>);
  const entities = modules('models').flatMap((module) => Object.values(module).filter(isClass));
  const migrations = modules('migrations')
    .filter(({ featureFlag }) => typeof featureFlag !== 'string' || flags.isFeatureEnabled(featureFlag))
    .flatMap((module) => Object.values(module).filter(isClass)) as Class<MigrationInterface>[];
  // Columns behind a flag decorate themselves only now.
  await nextTurn();
  return { entities: entities.filter((entity) => isEnabled(entity)), migrations };
}

function isClass(value: unknown): value is Class {
  return typeof value === 'function';
}

function isEnabled(entity: Class & { isFeatureEnabled?: () => boolean }): boolean {
  return entity.isFeatureEnabled?.() ?? true;
}

interface Container {
  set<Instance>(service: Class<Instance>, instance: Instance): void;
}

async function loadN8n(): Promise<Application> {
  process.env['DB_TYPE'] = 'postgresdb';
  const load = modulesOf('n8n');
  // Its fork stays close to TypeORM 0.3, and renders columns by the same lines.
  standIn(load, '@n8n/typeorm', load('typeorm') as object);
  standInForServices(load);
  const { entities } = load('@n8n/db/dist/entities/index.js') as { entities: Record<string, Class> };
  mendExecutionKey(load);
  const { postgresMigrations } = load('@n8n/db/dist/migrations/postgresdb/index.js') as {
    postgresMigrations: Class<MigrationInterface>[];
  };
  const { wrapMigration } = load('@n8n/db/dist/migrations/migration-helpers.js') as {
    wrapMigration: (migration: Class<MigrationInterface>) => void;
  };
  for (const migration of postgresMigrations) wrapMigration(migration);
  return { entities: Object.values(entities), migrations: postgresMigrations };
}

/** These services write log lines, and read keys and rows of an older n8n, of which there are none. */
function standInForServices(load: NodeJS.Require): void {
  class Logger {
    readonly info = (): void => {};
    readonly warn = this.info;
    readonly debug = this.info;
    readonly error = this.info;
  }
  class InstanceSettings {
    readonly n8nFolder = join(FOLDER, 'n8n', 'home');
  }
  class Cipher {
    decryptWithInstanceKey(): never {
      throw new Error('There is no key.');
    }
  }
  const { Container: container } = load('@n8n/di') as { Container: Container };
  for (const Service of [Logger, InstanceSettings, Cipher]) container.set<object>(Service, new Service());
  standIn(load, '@n8n/api-types');
  standIn(load, '@n8n/backend-common', { Logger });
  standIn(load, 'n8n-core', { InstanceSettings, Cipher });
  standIn(load, 'n8n-workflow', { UnexpectedError: Error, UserError: Error });
}

/**
 * The one thing that is changed. By the type that the compiler wrote down, this generated key is a text, for which TypeORM
 * (n8n's own, too) renders no type at all, so that its CREATE TABLE fails. The migrations made it an integer.
 */
function mendExecutionKey(load: NodeJS.Require): void {
  const { getMetadataArgsStorage } = load('typeorm') as typeof import('typeorm');
  const { ExecutionEntity } = load('@n8n/db/dist/entities/execution-entity.js') as { ExecutionEntity: Class };
  const key = getMetadataArgsStorage().columns.find(
    ({ target, propertyName }) => target === ExecutionEntity && propertyName === 'id',
  );
  if (key) key.options.type = 'int';
}

async function loadVeramo(): Promise<Application> {
  const file = join(FOLDER, 'veramo', 'node_modules', '@veramo', 'data-store', 'build', 'index.js');
  const { Entities, migrations } = (await import(pathToFileURL(file).href)) as {
    Entities: Class[];
    migrations: Class<MigrationInterface>[];
  };
  return { entities: Entities, migrations };
}
