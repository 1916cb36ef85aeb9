import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import {
  migratorOptionsOf,
  resolveModuleOptions,
  type AutoMigrationModuleOptions,
  type AutoMigratorOptions,
} from '../auto-migration.options.js';
import { isDataSource } from '../desired/data-source.js';
import {
  ConnectionError,
  DataSourceError,
  DataSourceFileError,
  InvalidOptionError,
  sqlStateOf,
} from '../errors.js';

/**
 * Loads the one DataSource that a file exports, or a promise of one, as TypeORM's own command line does.
 *
 * @throws DataSourceError when there is none or more than one, DataSourceFileError when the file itself throws
 */
export async function loadDataSource(file: string): Promise<DataSource> {
  const found = new Set((await loadExports(file)).filter(isDataSource));
  const [dataSource, ...others] = found;
  if (!dataSource) throw new DataSourceError(`${file} exports no DataSource.`);
  if (others.length > 0)
    throw new DataSourceError(`${file} exports ${found.size} DataSources; it must export one.`);
  return dataSource;
}

/**
 * What the file exports as `autoMigration`: the options that the application gives the module, of which the command takes
 * those that say how to compare and heal. Not `policy`, as that is about what happens unasked.
 *
 * @throws InvalidOptionError naming the option and its value
 */
export async function loadOptions(file: string): Promise<AutoMigratorOptions> {
  const module = (await load(resolve(file))) as Exported & { readonly default?: Exported | null };
  const exported = 'autoMigration' in module ? module.autoMigration : module.default?.autoMigration;
  const options = await Promise.resolve(exported);
  if (options === undefined) return {};
  if (!isPlainObject(options))
    throw new InvalidOptionError(
      'autoMigration',
      `is exported by ${file}, and is no plain object of options. Nothing was compared or changed.`,
    );
  resolveModuleOptions(options);
  const { policy: _unattended, ...asked } = migratorOptionsOf(options);
  return asked;
}

interface Exported {
  readonly autoMigration?: unknown;
}

function isPlainObject(value: unknown): value is AutoMigrationModuleOptions {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * Initialises a data source, which is also when TypeORM loads the entities that a pattern names.
 *
 * @throws ConnectionError when the server cannot be reached or refuses, DataSourceFileError with the stack of anything else
 */
export async function openDataSource(dataSource: DataSource, file: string): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (error) {
    throw isOfServer(error) ? new ConnectionError(error) : new DataSourceFileError(file, error);
  }
}

/** pg's own few errors without a code are not told from an entity's, and get their stack as well. */
function isOfServer(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isOfServer);
  return sqlStateOf(error) !== undefined || (error instanceof Error && 'syscall' in error);
}

async function loadExports(file: string): Promise<unknown[]> {
  try {
    return await Promise.all(exportsOf(await load(resolve(file))));
  } catch (error) {
    throw new DataSourceFileError(file, error);
  }
}

const require = createRequire(import.meta.url);

/** Loaders such as ts-node/register hook into require() alone, and import() knows nothing of them. */
async function load(path: string): Promise<Record<string, unknown>> {
  const isHooked = ['.ts', '.cts'].includes(extname(path)) && extname(path) in require.extensions;
  if (isHooked && isCommonJs(path)) return { default: require(path) as unknown };
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
}

/** As Node tells it: by the name's end, or else by the nearest package.json. */
function isCommonJs(path: string): boolean {
  if (extname(path) === '.cts') return true;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest))
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type !== 'module';
    if (folder === dirname(folder)) return true;
  }
}

/** A CommonJS file's exports stand under default. */
function exportsOf(module: Record<string, unknown>): unknown[] {
  const inner = module['default'];
  const nested: unknown[] =
    typeof inner === 'object' && inner !== null && !isDataSource(inner) ? Object.values(inner) : [];
  return [...Object.values(module), ...nested];
}
