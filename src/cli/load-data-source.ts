import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSource } from 'typeorm';
import { isDataSource } from '../desired/data-source.js';
import { DataSourceError } from '../errors.js';

/**
 * Loads the one DataSource that a file exports, or a promise of one, as TypeORM's own command line does.
 *
 * @throws DataSourceError when there is none or more than one; whatever the file itself throws
 */
export async function loadDataSource(file: string): Promise<DataSource> {
  const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const found = new Set<DataSource>();
  for (const value of await Promise.all(exportsOf(module))) {
    if (isDataSource(value)) found.add(value);
  }
  const [dataSource, ...others] = found;
  if (!dataSource) throw new DataSourceError(`${file} exports no DataSource.`);
  if (others.length > 0)
    throw new DataSourceError(`${file} exports ${found.size} DataSources; it must export one.`);
  return dataSource;
}

/** A CommonJS file's exports stand under default. */
function exportsOf(module: Record<string, unknown>): unknown[] {
  const inner = module['default'];
  const nested: unknown[] =
    typeof inner === 'object' && inner !== null && !isDataSource(inner) ? Object.values(inner) : [];
  return [...Object.values(module), ...nested];
}
