import { EntityMetadata, type DataSource } from 'typeorm';
import { keyOf, truncateIdentifier } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import { tableOf } from './table-of.js';

type ColumnMetadata = EntityMetadata['ownColumns'][number];
type Relation = NonNullable<ColumnMetadata['relationMetadata']>;

/**
 * The schema with what the junction tables of renamed entities were called: TypeORM names them and their columns after
 * the entities' tables. What somebody has named is called as before.
 */
export function withFormerJunctions(schema: Schema, dataSource: DataSource): Schema {
  const naming = new JunctionNames(schema, dataSource);
  const junctions = new Map(
    dataSource.entityMetadatas
      .filter(({ tableType }) => tableType === 'junction' || tableType === 'closure-junction')
      .map((metadata) => [keyOf(tableOf(dataSource, metadata)), metadata]),
  );
  return {
    ...schema,
    tables: schema.tables.map((table) => {
      const junction = junctions.get(keyOf(table));
      return junction ? naming.annotate(table, junction) : table;
    }),
  };
}

/** Names of tables without the data source's prefix: the one of today first, then the former ones. */
class JunctionNames {
  private readonly tables: ReadonlyMap<string, Table>;

  constructor(
    schema: Schema,
    private readonly dataSource: DataSource,
  ) {
    this.tables = new Map(schema.tables.map((table) => [keyOf(table), table]));
  }

  annotate(table: Table, junction: EntityMetadata): Table {
    const formerNames = [...(table.formerNames ?? []), ...formerOf(this.namesOf(junction), table.name)];
    const columns = table.columns.map((column) => {
      const { name } = column;
      const own = junction.ownColumns.find(({ databaseName }) => truncateIdentifier(databaseName) === name);
      const names = [...(column.formerNames ?? []), ...formerOf(own ? this.namesOfColumn(own) : [], name)];
      return names.length === 0 ? column : { ...column, formerNames: names };
    });
    return { ...table, columns, ...(formerNames.length === 0 ? {} : { formerNames }) };
  }

  private namesOf(junction: EntityMetadata): string[] {
    const closed = junction.parentClosureEntityMetadata as EntityMetadata | undefined;
    if (closed) return this.tableNames(closed).map((name) => this.nameOf('closure-junction', name));
    const relation = junction.ownColumns[0]?.relationMetadata;
    if (!relation) return [];
    const { propertyPath, inverseRelation } = relation;
    return this.sidesOf(relation).map(([owner, inverse]) => {
      const { namingStrategy } = this.dataSource;
      const inverseName = inverseRelation?.propertyName ?? '';
      return this.nameOf('junction', namingStrategy.joinTableName(owner, inverse, propertyPath, inverseName));
    });
  }

  /** As TypeORM makes the name of a junction's table from what its strategy answers: prefixed, and shortened. */
  private nameOf(type: 'junction' | 'closure-junction', name: string): string {
    // TypeORM 0.3 calls it the connection.
    const of = { dataSource: this.dataSource, connection: this.dataSource };
    const metadata = new EntityMetadata({ ...of, args: { target: '', name, type } });
    metadata.build();
    return metadata.tableName;
  }

  private sidesOf({ entityMetadata, inverseEntityMetadata }: Relation): [owner: string, inverse: string][] {
    const owners = this.tableNames(entityMetadata);
    // A table that is joined with itself has one name at a time.
    if (entityMetadata === inverseEntityMetadata) return owners.map((name) => [name, name]);
    const inverses = this.tableNames(inverseEntityMetadata);
    return owners.flatMap((owner) => inverses.map((inverse): [string, string] => [owner, inverse]));
  }

  private namesOfColumn(column: ColumnMetadata): string[] {
    const { referencedColumn, entityMetadata: junction, relationMetadata: relation } = column;
    if (!relation || !referencedColumn) return [];
    const { namingStrategy } = this.dataSource;
    const isOwner = junction.ownerColumns.includes(column);
    const table = isOwner ? relation.entityMetadata : relation.inverseEntityMetadata;
    const given = this.tableNames(table).flatMap((name) =>
      this.columnNames(referencedColumn).map((referenced) => {
        const { propertyName } = referencedColumn;
        return isOwner
          ? namingStrategy.joinTableColumnName(name, propertyName, referenced)
          : namingStrategy.joinTableInverseColumnName(name, propertyName, referenced);
      }),
    );
    const spelt = (names: readonly string[]): string[] =>
      names.map((name) => namingStrategy.columnName(name, name, []));
    // Where both sides would have one name TypeORM numbers them.
    const numbered = given.map((name) =>
      namingStrategy.joinTableColumnDuplicationPrefix(name, isOwner ? 1 : 2),
    );
    return spelt(numbered)[0] === column.databaseName ? spelt(numbered) : spelt(given);
  }

  private tableNames(metadata: EntityMetadata): string[] {
    const { entityPrefix: prefix = '' } = this.dataSource.options;
    const { formerNames = [] } = this.tables.get(keyOf(tableOf(this.dataSource, metadata))) ?? {};
    const withoutPrefix = (name: string): string =>
      name.startsWith(prefix) ? name.slice(prefix.length) : name;
    return [metadata.tableNameWithoutPrefix, ...formerNames.map(withoutPrefix)];
  }

  private columnNames({ entityMetadata, databaseName }: ColumnMetadata): string[] {
    const table = this.tables.get(keyOf(tableOf(this.dataSource, entityMetadata)));
    const column = table?.columns.find(({ name }) => name === truncateIdentifier(databaseName));
    return [databaseName, ...(column?.formerNames ?? [])];
  }
}

/** Those of former times, where the first one is what the object is called today; else somebody has named it. */
function formerOf(names: readonly string[], today: string): string[] {
  const [now, ...former] = names.map(truncateIdentifier);
  return now === today ? former : [];
}
