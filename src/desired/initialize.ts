import type { DataSource } from 'typeorm';
import { CONNECT_TIMEOUT_MS, type Pool } from './session.js';

/**
 * Initialises a data source, waiting for the server no longer than our own sessions do. TypeORM waits for ever where the
 * application does not say how long (`connectTimeoutMS`), and nobody could try again.
 */
export async function initializeInTime(dataSource: DataSource): Promise<void> {
  const { driver, options } = dataSource;
  if (options.type !== 'postgres' || isLimited(options)) return void (await dataSource.initialize());
  const limited: { connectTimeoutMS?: number } = options;
  limited.connectTimeoutMS = CONNECT_TIMEOUT_MS;
  try {
    await dataSource.initialize();
  } finally {
    delete limited.connectTimeoutMS;
  }
  // For a pool it is also the time to wait for one of its connections to be free, which is the application's to say.
  for (const pool of poolsOf(driver)) if (pool.options) pool.options.connectionTimeoutMillis = 0;
}

function isLimited(options: { readonly connectTimeoutMS?: number; readonly extra?: unknown }): boolean {
  const { connectTimeoutMS, extra } = options;
  return connectTimeoutMS !== undefined || Object.keys(extra ?? {}).includes('connectionTimeoutMillis');
}

function poolsOf(driver: object): Partial<Pool>[] {
  const { master, slaves } = driver as { readonly master?: Partial<Pool>; readonly slaves?: Partial<Pool>[] };
  return [...(master ? [master] : []), ...(slaves ?? [])];
}
