import type { DataSource } from 'typeorm';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Note, QualifiedName } from '../schema/model.js';
import { metadataTableName } from './own-tables.js';
import { defaultSchema, tableOf } from './table-of.js';

/** Where TypeORM keeps its notes. */
export function notesTableOf(dataSource: DataSource): QualifiedName {
  return { schema: defaultSchema(dataSource), name: metadataTableName(dataSource) };
}

/** The notes that TypeORM would write about generated columns. */
export function notesWanted(dataSource: DataSource): Note[] {
  return dataSource.entityMetadatas
    .filter(
      ({ synchronize, tableType }) => synchronize && tableType !== 'view' && tableType !== 'entity-child',
    )
    .flatMap((metadata) => {
      const { schema, name: table } = tableOf(dataSource, metadata);
      return metadata.columns.flatMap(({ databaseName, generatedType, asExpression }): Note[] =>
        generatedType === 'STORED' && asExpression
          ? [{ type: 'GENERATED_COLUMN', schema, table, name: databaseName, value: asExpression }]
          : [],
      );
    });
}

/** The notes that are there; none where the table is missing. */
export async function readNotes(connection: Connection, table: QualifiedName): Promise<Note[]> {
  const name = quoteQualified(table);
  const [found] = await queryRows<{ there: boolean }>(
    connection,
    `select to_regclass(${quoteLiteral(name)}) is not null as there`,
  );
  if (!found?.there) return [];
  return queryRows<Note>(connection, `select type, schema, "table", name, value from ${name}`);
}
