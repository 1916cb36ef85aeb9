import { DataSource } from 'typeorm';
import { DataSourceError } from '../errors.js';
import type { Connect } from '../schema/connection.js';
import { openSession, type Pool } from './session.js';

/** What @nestjs/typeorm provides the default data source under. */
export const DEFAULT_DATA_SOURCE = DataSource;

/** By shape: the application may have a copy of TypeORM of its own. */
export function isDataSource(value: unknown): value is DataSource {
  return typeof value === 'object' && value !== null && 'options' in value && 'entityMetadatas' in value;
}

/** @throws DataSourceError unless the data source is an initialised PostgreSQL one */
export function assertUsable(dataSource: DataSource): void {
  if (!isDataSource(dataSource)) {
    const given = typeof dataSource === 'object' ? 'an object' : String(dataSource);
    throw new DataSourceError(`There is no data source: a DataSource of TypeORM is needed, not ${given}.`);
  }
  const { type } = dataSource.options;
  if (type !== 'postgres') {
    throw new DataSourceError(`The data source is of type "${type}"; only "postgres" can be migrated.`);
  }
  if (!dataSource.isInitialized) {
    throw new DataSourceError('The data source is not initialised. Call its initialize() first.');
  }
}

/**
 * A way to open sessions with exactly the settings of the application's own (host, TLS, password function …), by the
 * application's own copy of pg, but outside its pool: a pool of size 1 would deadlock, and what is set on our sessions
 * must never leak into the application's.
 */
export function connectorOf(dataSource: DataSource): Connect {
  return async () => {
    assertUsable(dataSource);
    return openSession(poolOf(dataSource));
  };
}

function poolOf(dataSource: DataSource): Pool {
  const { driver } = dataSource;
  const pool = 'master' in driver ? (driver.master as Partial<Pool> | undefined) : undefined;
  if (!pool?.Client || !pool.options) {
    throw new DataSourceError(
      'The data source has no pool of the package "pg", so no session can be opened.',
    );
  }
  return { Client: pool.Client, options: pool.options };
}
