import type { InjectionToken } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { DataSourceError } from '../errors.js';

/**
 * Finds the application's data source, wherever its module is. @nestjs/typeorm provides the default one under the class
 * and one named x under `xDataSource`; looked up here, it stays an optional peer.
 */
export function findDataSource(moduleRef: ModuleRef, wanted: InjectionToken = DataSource): DataSource {
  const named = typeof wanted === 'string' && wanted !== 'default' ? [`${wanted}DataSource`] : [];
  const tokens = wanted === 'default' ? [DataSource] : [wanted, ...named];
  for (const token of tokens) {
    const found = get(moduleRef, token);
    if (found) return found;
  }
  const which = wanted === DataSource ? 'the default data source' : `the data source "${String(wanted)}"`;
  throw new DataSourceError(
    `Cannot find ${which} of the application. Is TypeOrmModule.forRoot() imported, and the option "dataSource" right?`,
  );
}

function get(moduleRef: ModuleRef, token: InjectionToken): DataSource | undefined {
  try {
    const found: unknown = moduleRef.get(token, { strict: false });
    return isDataSource(found) ? found : undefined;
  } catch {
    // Nest has no way to ask whether a token is known.
    return undefined;
  }
}

/** By shape: the application may have a copy of TypeORM of its own. */
function isDataSource(value: unknown): value is DataSource {
  return typeof value === 'object' && value !== null && 'options' in value && 'entityMetadatas' in value;
}
