import { DataSource, type DataSourceOptions, type EntitySchema } from 'typeorm';
import { closeAfter } from '../setup/open-resources.js';

export type PostgresOptions = Partial<Omit<Extract<DataSourceOptions, { type: 'postgres' }>, 'type'>>;

/** An initialised data source of these entities. It is closed when the test file has ended. */
export async function openDataSource(
  url: string,
  entities: (EntitySchema | (new () => object))[],
  options: PostgresOptions = {},
): Promise<DataSource> {
  const dataSource = new DataSource({ ...options, type: 'postgres', url, entities });
  closeAfter('file', async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
  });
  return dataSource.initialize();
}
