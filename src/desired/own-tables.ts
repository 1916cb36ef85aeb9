import { Table, type DataSource, type TableColumnOptions } from 'typeorm';
import type { QualifiedName } from '../schema/model.js';
import { defaultSchema, tableOf } from './table-of.js';

/**
 * The tables that TypeORM keeps for itself and creates only when it synchronises: its notes about generated columns and
 * views, and the cache of query results. Without the latter a cached query fails.
 */
export function ownTablesWanted(dataSource: DataSource): Table[] {
  const tables = needsNotes(dataSource) ? [notesTable(dataSource)] : [];
  return isCachedInDatabase(dataSource) ? [...tables, cacheTable(dataSource)] : tables;
}

/**
 * Tables that are in no entity, or in one that is not synchronised, and yet not extra; and views, which may have been
 * left out of the comparison.
 */
export function tablesLeftAlone(dataSource: DataSource): QualifiedName[] {
  const { migrationsTableName = 'migrations' } = dataSource.options;
  const schema = defaultSchema(dataSource);
  const own = [metadataTableName(dataSource), migrationsTableName, cacheTableName(dataSource)];
  const leftOut = dataSource.entityMetadatas.filter(
    ({ synchronize, tableType }) => !synchronize || tableType === 'view',
  );
  return [
    ...own.map((name) => ({ schema, name })),
    ...leftOut.map((metadata) => tableOf(dataSource, metadata)),
  ];
}

export function metadataTableName({ options }: DataSource): string {
  return options.metadataTableName ?? 'typeorm_metadata';
}

function cacheTableName({ options: { cache } }: DataSource): string {
  return (typeof cache === 'object' && cache.tableName) || 'query-result-cache';
}

function isCachedInDatabase({ options: { cache } }: DataSource): boolean {
  return (
    cache === true ||
    (typeof cache === 'object' && (cache.type ?? 'database') === 'database' && !cache.provider)
  );
}

/** As TypeORM's schema builder decides it. */
function needsNotes({ entityMetadatas }: DataSource): boolean {
  return entityMetadatas.some(
    ({ synchronize, tableType, columns }) =>
      synchronize && (tableType === 'view' || columns.some(({ generatedType }) => generatedType)),
  );
}

const optional = (name: string, type: string): TableColumnOptions => ({ name, type, isNullable: true });
const required = (name: string, type: string): TableColumnOptions => ({ name, type });

/** As RdbmsSchemaBuilder.createTypeormMetadataTable makes it. */
function notesTable(dataSource: DataSource): Table {
  return new Table({
    schema: defaultSchema(dataSource),
    name: metadataTableName(dataSource),
    columns: [
      required('type', 'character varying'),
      ...['database', 'schema', 'table', 'name'].map((name) => optional(name, 'character varying')),
      optional('value', 'text'),
    ],
  });
}

/** As DbQueryResultCache.synchronize makes it. */
function cacheTable(dataSource: DataSource): Table {
  const id = { name: 'id', type: 'integer', isPrimary: true, isGenerated: true } as const;
  return new Table({
    schema: defaultSchema(dataSource),
    name: cacheTableName(dataSource),
    columns: [
      { ...id, generationStrategy: 'increment' },
      optional('identifier', 'character varying'),
      required('time', 'bigint'),
      required('duration', 'integer'),
      required('query', 'text'),
      required('result', 'text'),
    ],
  });
}
