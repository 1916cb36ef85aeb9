import { DataSource } from 'typeorm';
import { entitiesOf } from '../fixture/entities.mjs';

/** @import { Place } from '../contender.d.mts' */

/** @param {Pick<Place, 'url' | 'schema' | 'tables'>} place */
export async function openDataSource({ url, schema, tables }) {
  const dataSource = new DataSource({ type: 'postgres', url, schema, entities: entitiesOf(tables) });
  return dataSource.initialize();
}
