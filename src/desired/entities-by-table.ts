import type { DataSource, EntityMetadata } from 'typeorm';
import { compareText } from './by-name.js';
import { tableOf } from './table-of.js';

/** The same selection as TypeORM's own schema builder makes, several entities of one table together. */
export function entitiesByTable(dataSource: DataSource): [EntityMetadata, ...EntityMetadata[]][] {
  const groups = new Map<string, [EntityMetadata, ...EntityMetadata[]]>();
  for (const metadata of dataSource.entityMetadatas) {
    if (!metadata.synchronize || metadata.tableType === 'entity-child' || metadata.tableType === 'view')
      continue;
    const { schema, name } = tableOf(dataSource, metadata);
    const key = JSON.stringify([schema, name]);
    const group = groups.get(key);
    if (group) group.push(metadata);
    else groups.set(key, [metadata]);
  }
  for (const group of groups.values()) group.sort(entitiesFirst);
  return [...groups.values()];
}

/** In an order that does not hang on how the entities were loaded, those that somebody wrote before those of relations. */
function entitiesFirst(a: EntityMetadata, b: EntityMetadata): number {
  const rank = ({ tableType }: EntityMetadata): number => (tableType === 'regular' ? 0 : 1);
  return rank(a) - rank(b) || compareText(a.name, b.name);
}
