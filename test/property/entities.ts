import {
  DataSource,
  EntitySchema,
  type ColumnType,
  type EntityMetadata,
  type EntitySchemaColumnOptions,
  type EntitySchemaIndexOptions,
  type EntitySchemaOptions,
} from 'typeorm';
import {
  nameOf,
  type ColumnDesign,
  type Design,
  type ForeignKeyDesign,
  type IndexDesign,
  type TableDesign,
  type ViewDesign,
} from './design.js';
import { defaultOf, expressionOf, selectOf, storedExpression, typeOf, whereOf } from './expressions.js';

/** An initialised data source of the entities of a design. */
export async function openDesign(url: string, design: Design): Promise<DataSource> {
  const entities = [
    ...design.tables.map((table) => toEntity(table, design)),
    ...design.views.map((view) => toViewEntity(view, design)),
  ];
  const dataSource = await new DataSource({ type: 'postgres', url, entities, poolSize: 2 }).initialize();
  for (const table of design.tables) addWhatSchemasLack(dataSource.getMetadata(nameOf(table)), table);
  for (const view of design.views)
    dataSource.getMetadata(nameOf(view)).tableMetadataArgs.materialized = view.materialized;
  return dataSource;
}

function toEntity(table: TableDesign, design: Design): EntitySchema {
  const { schema, name, columns, uniques, indexes, checks, foreignKeys } = table;
  return new EntitySchema({
    name: nameOf(table),
    tableName: name,
    ...(schema === 'public' ? {} : { schema }),
    columns: Object.fromEntries(columns.map((column) => [column.name, toColumn(column, table, design)])),
    uniques: uniques.map((unique) => ({
      ...named(unique.name),
      columns: [...unique.columns],
      ...(unique.deferrable === null ? {} : { deferrable: unique.deferrable }),
    })),
    indices: indexes.map((index) => toIndex(index, table, design)),
    checks: checks.map((check) => ({
      ...named(check.name),
      expression: expressionOf(check, columns, design),
    })),
    foreignKeys: foreignKeys.map(toForeignKey),
  });
}

const named = (name: string | null): { name?: string } => (name === null ? {} : { name });

function toColumn(column: ColumnDesign, table: TableDesign, design: Design): EntitySchemaColumnOptions {
  const { primary, nullable, collation, comment, generated } = column;
  const given = defaultOf(column, design);
  const expression = storedExpression(column);
  return {
    ...(typeOf(column, design).options as EntitySchemaColumnOptions & { type: ColumnType }),
    primary,
    nullable,
    ...(primary && table.keyName !== null ? { primaryKeyConstraintName: table.keyName } : {}),
    ...(given === null ? {} : { default: 'sql' in given ? () => given.sql : given.value }),
    ...(generated === null ? {} : { generated: generated === 'uuid' ? 'uuid' : 'increment' }),
    ...(expression === null ? {} : { generatedType: 'STORED', asExpression: expression }),
    ...(collation === null ? {} : { collation }),
    ...(comment === null ? {} : { comment }),
  };
}

function toIndex(index: IndexDesign, table: TableDesign, design: Design): EntitySchemaIndexOptions {
  const where = whereOf(index.where, table.columns, design);
  return {
    ...named(index.name),
    columns: [...index.columns],
    unique: index.unique,
    ...(where === null ? {} : { where }),
  };
}

type ForeignKeyOptions = NonNullable<EntitySchemaOptions<unknown>['foreignKeys']>[number];

function toForeignKey(foreignKey: ForeignKeyDesign): ForeignKeyOptions {
  const { name, target, columns, targetColumns, onDelete, onUpdate, deferrable } = foreignKey;
  return {
    ...named(name),
    target,
    columnNames: [...columns],
    referencedColumnNames: [...targetColumns],
    onDelete,
    onUpdate,
    ...(deferrable === null ? {} : { deferrable }),
  };
}

function toViewEntity(view: ViewDesign, design: Design): EntitySchema {
  const table = design.tables.find((each) => nameOf(each) === view.of);
  const columns = view.columns.flatMap((name): [string, EntitySchemaColumnOptions][] => {
    const column = table?.columns.find((each) => each.name === name);
    const type = column && (typeOf(column, design).options.type ?? 'text');
    return type === undefined ? [] : [[name, { type }]];
  });
  return new EntitySchema({
    name: nameOf(view),
    tableName: view.name,
    ...(view.schema === 'public' ? {} : { schema: view.schema }),
    type: 'view',
    expression: selectOf(view, design),
    columns: Object.fromEntries(columns),
    indices: view.indexed ? [{ columns: view.columns.slice(0, 1) }] : [],
  });
}

/** What decorators can say and EntitySchema has no word for. */
function addWhatSchemasLack(metadata: EntityMetadata, table: TableDesign): void {
  if (table.comment !== null) metadata.comment = table.comment;
  for (const { name, generated } of table.columns) {
    const column = metadata.findColumnWithDatabaseName(name);
    if (!column || !(generated === 'identity always' || generated === 'identity by default')) continue;
    const generatedIdentity = generated === 'identity always' ? 'ALWAYS' : 'BY DEFAULT';
    Object.assign(column, { generationStrategy: 'identity', generatedIdentity });
  }
  // TypeORM keeps them in the order in which they were declared.
  for (const [i, { method }] of table.indexes.entries()) {
    const index = metadata.ownIndices[i];
    if (index && method !== 'btree') index.type = method;
  }
}
