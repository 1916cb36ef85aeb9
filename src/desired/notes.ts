import type { DataSource } from 'typeorm';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Note, QualifiedName } from '../schema/model.js';
import { metadataTableName } from './own-tables.js';
import type { RenderedView } from './render-views.js';
import { defaultSchema, tableOf } from './table-of.js';

/** Where TypeORM keeps its notes. */
export function notesTableOf(dataSource: DataSource): QualifiedName {
  return { schema: defaultSchema(dataSource), name: metadataTableName(dataSource) };
}

/** The notes that TypeORM would write. */
export function notesWanted(dataSource: DataSource, views: readonly RenderedView[]): Note[] {
  return [...notesOfColumns(dataSource), ...views.map(noteOfView)];
}

function noteOfView({ schema, name, materialized, expression }: RenderedView): Note {
  return { type: materialized ? 'MATERIALIZED_VIEW' : 'VIEW', schema, table: null, name, value: expression };
}

function notesOfColumns(dataSource: DataSource): Note[] {
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
