import { Table, type DataSource, type EntityMetadata, type TableColumn } from 'typeorm';
import { displayName } from '../schema/identifier.js';
import { entitiesByTable } from './entities-by-table.js';
import { tableOf } from './table-of.js';

/**
 * What entities of one table ask for differently in a column of both. TypeORM's `synchronize` changes it to and fro at each
 * start; here the first entity counts, and it is told.
 */
export function contradictionsIn(dataSource: DataSource): string[] {
  return entitiesByTable(dataSource).flatMap(([first, ...others]) =>
    // A relation's own table takes what the entity has.
    others
      .filter(({ tableType }) => tableType === 'regular')
      .flatMap((other) => contradictions(dataSource, first, other)),
  );
}

function contradictions(dataSource: DataSource, first: EntityMetadata, other: EntityMetadata): string[] {
  const { schema, name } = tableOf(dataSource, first);
  const [wanted, also] = [first, other].map((each) => columnsOf(dataSource, each));
  return (also ?? []).flatMap((column) => {
    const counts = wanted?.find((each) => each.name === column.name);
    if (!counts) return [];
    const [one, two] = [counts, column].map((each) => describe(dataSource, each));
    return one === two
      ? []
      : [
          `The entities ${first.name} and ${other.name} ask for ${displayName(schema, name, column.name)} differently (${one}; ${two}): that of ${first.name} counts`,
        ];
  });
}

function columnsOf({ driver }: DataSource, metadata: EntityMetadata): readonly TableColumn[] {
  try {
    return Table.create(metadata, driver).columns;
  } catch {
    // What TypeORM cannot render is a finding of its own.
    return [];
  }
}

function describe({ driver }: DataSource, column: TableColumn): string {
  const ofDefault =
    column.default === undefined || column.default === null ? '' : ` DEFAULT ${column.default}`;
  return `${driver.createFullType(column)}${ofDefault}${column.isNullable ? '' : ' NOT NULL'}`;
}
