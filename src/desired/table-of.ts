import type { DataSource, EntityMetadata } from 'typeorm';
import { truncateIdentifier } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';

/** The schema of entities that name none. */
export function defaultSchema({ driver }: DataSource): string {
  return driver.schema ?? 'public';
}

/** Where an entity's table is, as PostgreSQL names it. */
export function tableOf(dataSource: DataSource, metadata: EntityMetadata): QualifiedName {
  return {
    schema: truncateIdentifier(metadata.schema ?? defaultSchema(dataSource)),
    name: truncateIdentifier(metadata.tableName),
  };
}
