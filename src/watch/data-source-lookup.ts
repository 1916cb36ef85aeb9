import type { InjectionToken } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { DEFAULT_DATA_SOURCE, isDataSource } from '../desired/data-source.js';
import { DataSourceError } from '../errors.js';

/**
 * Finds the application's data source, wherever its module is. @nestjs/typeorm provides the default one under the class
 * and one named x under `xDataSource`; looked up here, it stays an optional peer.
 */
export function findDataSource(
  moduleRef: ModuleRef,
  wanted: InjectionToken = DEFAULT_DATA_SOURCE,
): DataSource {
  const named = typeof wanted === 'string' && wanted !== 'default' ? [`${wanted}DataSource`] : [];
  const tokens = wanted === 'default' ? [DEFAULT_DATA_SOURCE] : [wanted, ...named];
  for (const token of tokens) {
    const found = get(moduleRef, token);
    if (found) return found;
  }
  const which =
    wanted === DEFAULT_DATA_SOURCE ? 'the default data source' : `the data source "${String(wanted)}"`;
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
