import { TableIndex, View, type DataSource, type EntityMetadata, type QueryRunner } from 'typeorm';
import type { QualifiedName } from '../schema/model.js';
import { tableOf } from './table-of.js';

/** A view that an entity asks for, in the entity's words. */
export interface RenderedView extends QualifiedName {
  readonly materialized: boolean;
  /** The SELECT. */
  readonly expression: string;
  /** Statements that build it, with its indexes. */
  readonly statements: readonly string[];
}

/** PostgreSQL's query runner alone can index a view, so the general interface does not know of it. */
interface IndexesViews {
  createViewIndices(view: View, indices: TableIndex[]): Promise<void>;
}

export function viewEntities(dataSource: DataSource): EntityMetadata[] {
  return dataSource.entityMetadatas.filter(
    ({ synchronize, tableType }) => synchronize && tableType === 'view',
  );
}

export async function renderViews(dataSource: DataSource, queryRunner: QueryRunner): Promise<RenderedView[]> {
  const rendered: RenderedView[] = [];
  for (const metadata of viewEntities(dataSource))
    rendered.push(await renderView(dataSource, queryRunner, metadata));
  return rendered;
}

async function renderView(
  dataSource: DataSource,
  queryRunner: QueryRunner,
  metadata: EntityMetadata,
): Promise<RenderedView> {
  const { schema, name } = tableOf(dataSource, metadata);
  const view = View.create(metadata, dataSource.driver);
  view.schema = schema;
  view.name = `${schema}.${metadata.tableName}`;
  queryRunner.enableSqlMemory();
  await queryRunner.createView(view, false);
  if (metadata.indices.length > 0 && indexesViews(queryRunner)) {
    const indices = metadata.indices.filter(({ synchronize }) => synchronize);
    await queryRunner.createViewIndices(
      view,
      indices.map((index) => TableIndex.create(index)),
    );
  }
  const statements = queryRunner.getMemorySql().upQueries.map(({ query }) => query);
  queryRunner.disableSqlMemory();
  return {
    schema,
    name,
    materialized: view.materialized,
    expression: expressionOf(dataSource, view),
    statements,
  };
}

/** As TypeORM writes it down in its notes. */
function expressionOf(dataSource: DataSource, { expression }: View): string {
  return typeof expression === 'string' ? expression.trim() : expression(dataSource).getQuery();
}

function indexesViews(queryRunner: QueryRunner): queryRunner is QueryRunner & IndexesViews {
  return 'createViewIndices' in queryRunner;
}
