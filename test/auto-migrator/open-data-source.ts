import { DataSource, type DataSourceOptions, type EntitySchema } from 'typeorm';
import { afterAll } from 'vitest';

export type PostgresOptions = Partial<Omit<Extract<DataSourceOptions, { type: 'postgres' }>, 'type'>>;

const opened = new Set<DataSource>();

// Registered after the hook that drops the databases (see database.ts), so it runs before it.
afterAll(async () => {
  await Promise.all([...opened].filter(({ isInitialized }) => isInitialized).map((each) => each.destroy()));
});

/** An initialised data source of these entities. It is closed when the test file has ended. */
export async function openDataSource(
  url: string,
  entities: (EntitySchema | (new () => object))[],
  options: PostgresOptions = {},
): Promise<DataSource> {
  const dataSource = new DataSource({ ...options, type: 'postgres', url, entities });
  opened.add(dataSource);
  return dataSource.initialize();
}
