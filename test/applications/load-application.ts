import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
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

function standIn(load: NodeJS.Require, path: string): void {
  const filename = load.resolve(path);
  load.cache[filename] = Object.assign(Object.create(null) as NodeJS.Module, {
    id: filename,
    filename,
    loaded: true,
    exports: {},
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
