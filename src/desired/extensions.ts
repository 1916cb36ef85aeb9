import type { ColumnType, DataSource, EntityMetadata } from 'typeorm';
import type { QualifiedName } from '../schema/model.js';

/** Column types and the extensions that bring them, as TypeORM's driver knows them. */
const EXTENSION_OF_TYPE: Readonly<Record<string, string>> = {
  citext: 'citext',
  hstore: 'hstore',
  cube: 'cube',
  ltree: 'ltree',
  geometry: 'postgis',
  geography: 'postgis',
  vector: 'vector',
  halfvec: 'vector',
};

/** The extensions without which the entities' tables cannot be made, in a stable order. */
export function extensionsWanted(dataSource: DataSource): QualifiedName[] {
  const { driver } = dataSource;
  // Where TypeORM would have them: it says CREATE EXTENSION without a schema.
  const schema = ('searchSchema' in driver && (driver.searchSchema as string | undefined)) || 'public';
  return namesWanted(dataSource).map((name) => ({ schema, name }));
}

function namesWanted({ entityMetadatas, options }: DataSource): string[] {
  const wanted = new Set<string>();
  for (const metadata of entityMetadatas.filter(({ synchronize }) => synchronize)) {
    for (const { type } of metadata.columns) addExtensionOf(type, wanted);
    // gen_random_uuid() is PostgreSQL's own since 13; uuid_generate_v4() is not.
    if (generatesUuids(metadata) && !('uuidExtension' in options && options.uuidExtension === 'pgcrypto'))
      wanted.add('uuid-ossp');
    if (metadata.exclusions.length > 0) wanted.add('btree_gist');
  }
  const asked: readonly string[] = ('extensions' in options && options.extensions) || [];
  return [...new Set([...wanted, ...asked])].toSorted();
}

function addExtensionOf(type: ColumnType, wanted: Set<string>): void {
  const extension = typeof type === 'string' ? EXTENSION_OF_TYPE[type] : undefined;
  if (extension !== undefined) wanted.add(extension);
}

function generatesUuids({ generatedColumns }: EntityMetadata): boolean {
  return generatedColumns.some(({ generationStrategy }) => generationStrategy === 'uuid');
}
