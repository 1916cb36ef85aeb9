import { setImmediate as breathe } from 'node:timers/promises';
import { Table, TableForeignKey, type DataSource, type EntityMetadata, type QueryRunner } from 'typeorm';
import { foreignKeyDefinition, type ForeignKeyAction } from '../schema/foreign-key.js';
import { describeError } from '../errors.js';
import { truncateIdentifier } from '../schema/identifier.js';
import type { Constraint, QualifiedName, Refusal } from '../schema/model.js';
import { extensionsWanted } from './extensions.js';
import { byName } from './by-name.js';
import { doubleQuotes } from './double-quotes.js';
import { entitiesByTable } from './entities-by-table.js';
import { ownTablesWanted } from './own-tables.js';
import { renderViews, type RenderedView } from './render-views.js';
import { tableOf } from './table-of.js';

/** The namespace that rendered statements name instead of the real one. */
export const PLACEHOLDER = 'auto_migration_shadow';

const TABLES_A_BREATH = 25;

/** A type that entities need, and the first table that does. */
export interface RenderedType {
  readonly table: QualifiedName;
  readonly statement: string;
}

/** What the entities ask for in one table, in TypeORM's words. */
export interface RenderedTable extends QualifiedName {
  /** Statements that build it in {@link PLACEHOLDER}, without its types and foreign keys. */
  readonly statements: readonly string[];
  readonly foreignKeys: readonly Constraint[];
}

/** All that the entities ask for, in a stable order. */
export interface Rendered {
  readonly extensions: readonly QualifiedName[];
  readonly types: readonly RenderedType[];
  readonly tables: readonly RenderedTable[];
  readonly views: readonly RenderedView[];
  /** What TypeORM itself could not render. */
  readonly refused: readonly Refusal[];
}

/**
 * Lets TypeORM render its entities, by its own metadata and DDL builders, so that its naming strategy and its reading
 * of every decorator are the application's own. Nothing is executed but a few SELECTs of TypeORM's.
 */
export async function renderEntities(dataSource: DataSource): Promise<Rendered> {
  const queryRunner = dataSource.createQueryRunner();
  try {
    const rendered: (RenderedTable | Refusal)[] = [];
    for (const metadatas of entitiesByTable(dataSource)) {
      rendered.push(await renderOrRefuse(dataSource, queryRunner, metadatas));
      // TypeORM awaits nothing that takes time here, and the application may be serving.
      if (rendered.length % TABLES_A_BREATH === 0) await breathe();
    }
    for (const table of ownTablesWanted(dataSource)) rendered.push(await renderOwnTable(queryRunner, table));
    const views = await renderViews(dataSource, queryRunner);
    // Entities loaded by a glob come in another order at each start; the hash must not.
    const tables = rendered.filter((each): each is RenderedTable => !isRefusal(each)).toSorted(byName);
    return {
      extensions: extensionsWanted(dataSource),
      types: typesOf(tables),
      tables: tables.map(withoutTypes),
      views: views.toSorted(byName),
      refused: rendered.filter(isRefusal).toSorted(byName),
    };
  } finally {
    await queryRunner.release();
  }
}

function isRefusal(rendered: RenderedTable | Refusal): rendered is Refusal {
  return 'reason' in rendered;
}

/** What one entity gets wrong is no reason not to look at the others. */
async function renderOrRefuse(
  dataSource: DataSource,
  queryRunner: QueryRunner,
  metadatas: readonly [EntityMetadata, ...EntityMetadata[]],
): Promise<RenderedTable | Refusal> {
  try {
    return await renderEntity(dataSource, queryRunner, metadatas);
  } catch (error) {
    queryRunner.disableSqlMemory();
    return {
      ...tableOf(dataSource, metadatas[0]),
      reason: describeError(error),
      constraint: null,
    };
  }
}

async function renderOwnTable(queryRunner: QueryRunner, table: Table): Promise<RenderedTable> {
  const schema = table.schema ?? 'public';
  const { name } = table;
  return { schema, name, statements: await renderTable(queryRunner, table, name), foreignKeys: [] };
}

const isType = (statement: string): boolean => statement.startsWith('CREATE TYPE');

/** An enum that several tables share is created once. */
function typesOf(tables: readonly RenderedTable[]): RenderedType[] {
  const types = new Map<string, RenderedType>();
  for (const { schema, name, statements } of tables) {
    for (const statement of statements.filter(isType)) {
      const key = JSON.stringify([schema, statement]);
      if (!types.has(key)) types.set(key, { table: { schema, name }, statement });
    }
  }
  return [...types.values()];
}

function withoutTypes(table: RenderedTable): RenderedTable {
  return { ...table, statements: table.statements.filter((statement) => !isType(statement)) };
}

async function renderEntity(
  dataSource: DataSource,
  queryRunner: QueryRunner,
  metadatas: readonly [EntityMetadata, ...EntityMetadata[]],
): Promise<RenderedTable> {
  const [metadata] = metadatas;
  const [first, ...others] = metadatas.map((each) => Table.create(each, dataSource.driver));
  const table = others.reduce(merge, first ?? new Table());
  return {
    ...tableOf(dataSource, metadata),
    statements: await renderTable(queryRunner, table, metadata.tableName),
    foreignKeys: mergeForeignKeys(metadatas.flatMap((each) => renderForeignKeys(dataSource, each))),
  };
}

async function renderTable(queryRunner: QueryRunner, table: Table, name: string): Promise<string[]> {
  table.schema = PLACEHOLDER;
  table.name = `${PLACEHOLDER}.${name}`;
  doubleQuotes(table);
  for (const index of table.indices) {
    // Not possible inside a transaction, and nothing that the finished index would show.
    index.isConcurrent = false;
  }
  queryRunner.enableSqlMemory();
  await queryRunner.createTable(table, false, false, true);
  const memory = queryRunner.getMemorySql().upQueries;
  queryRunner.disableSqlMemory();
  // Those with parameters are TypeORM's notes in its own metadata table.
  return memory.filter(({ parameters }) => !parameters?.length).map(({ query }) => query);
}

/** An entity and a junction table, or two plain entities, of one name are one table: what the first lacks is added. */
function merge(table: Table, other: Table): Table {
  const lacking = <Item extends { name?: string }>(items: Item[], more: Item[]): Item[] =>
    more.filter(({ name }) => !items.some((item) => item.name === name));
  table.columns.push(...lacking(table.columns, other.columns));
  table.indices.push(...lacking(table.indices, other.indices));
  table.uniques.push(...lacking(table.uniques, other.uniques));
  table.checks.push(...lacking(table.checks, other.checks));
  table.exclusions.push(...lacking(table.exclusions, other.exclusions));
  return table;
}

/** Several entities of one table may each ask for the same reference, with other actions: the first one's counts. */
function mergeForeignKeys(foreignKeys: readonly Constraint[]): Constraint[] {
  const firsts = new Map<string, Constraint>();
  for (const foreignKey of foreignKeys) {
    const key = JSON.stringify([foreignKey.columns, foreignKey.references]);
    if (!firsts.has(key)) firsts.set(key, foreignKey);
  }
  return [...firsts.values()];
}

function renderForeignKeys(dataSource: DataSource, metadata: EntityMetadata): Constraint[] {
  return metadata.foreignKeys.map((foreignKey) => {
    const { name, columnNames, referencedColumnNames, onDelete, onUpdate, deferrable } =
      TableForeignKey.create(foreignKey, dataSource.driver);
    const columns = columnNames.map(truncateIdentifier);
    const references = {
      ...tableOf(dataSource, foreignKey.referencedEntityMetadata),
      columns: referencedColumnNames.map(truncateIdentifier),
    };
    const definition = foreignKeyDefinition({
      columns,
      references,
      onDelete: toAction(onDelete),
      onUpdate: toAction(onUpdate),
      deferrable:
        deferrable === 'INITIALLY DEFERRED' || deferrable === 'INITIALLY IMMEDIATE' ? deferrable : null,
    });
    return {
      name: truncateIdentifier(name ?? ''),
      type: 'foreign-key',
      definition,
      columns,
      validated: true,
      enforced: true,
      references,
    };
  });
}

function toAction(action: string | undefined): ForeignKeyAction {
  switch (action) {
    case 'RESTRICT':
    case 'CASCADE':
    case 'SET NULL':
    case 'SET DEFAULT':
      return action;
    default:
      return 'NO ACTION';
  }
}
