import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import { isDataSource } from '../desired/data-source.js';
import { DataSourceError, DataSourceFileError } from '../errors.js';

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

async function loadExports(file: string): Promise<unknown[]> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
    return await Promise.all(exportsOf(module));
  } catch (error) {
    throw new DataSourceFileError(file, error);
  }
}

/** A CommonJS file's exports stand under default. */
function exportsOf(module: Record<string, unknown>): unknown[] {
  const inner = module['default'];
  const nested: unknown[] =
    typeof inner === 'object' && inner !== null && !isDataSource(inner) ? Object.values(inner) : [];
  return [...Object.values(module), ...nested];
}
