import type { DataSource, EntityMetadata } from 'typeorm';
import { keyOf, truncateIdentifier } from '../schema/identifier.js';
import type { QualifiedName, Schema, Table } from '../schema/model.js';
import { withFormerJunctions } from './former-junctions.js';
import { formerNamesOfClass, formerNamesOfProperty } from './renamed-from.js';
import { tableOf } from './table-of.js';

/** Former names for entities that no decorator can stand on. */
export interface FormerNames {
  /** By table: `{ staff: ['employee'] }`, or `'hr.staff'` with its schema. */
  readonly tables?: Readonly<Record<string, readonly string[]>>;
  /** By column: `{ 'staff.first_name': ['forename'] }`, or `'hr.staff.first_name'`. */
  readonly columns?: Readonly<Record<string, readonly string[]>>;
}

interface OfTable {
  readonly names: Set<string>;
  readonly columns: Map<string, Set<string>>;
}

/** The schema with what its tables and columns were called before, by decorators and by option. */
export function withFormerNames(schema: Schema, dataSource: DataSource, given: FormerNames): Schema {
  const declared = declaredIn(dataSource);
  if (declared.size === 0 && !given.tables && !given.columns) return schema;
  const tables = schema.tables.map((table) => annotate(table, declared.get(keyOf(table)), given));
  return withFormerJunctions({ ...schema, tables }, dataSource);
}

/** What the option says of tables and columns that no entity has, as sentences: a misspelt name renames nothing. */
export function describeUnknown(dataSource: DataSource, { tables }: Schema, given: FormerNames): string[] {
  // One that was refused is in no schema, and the junction tables are no entities of anybody's.
  const entities = dataSource.entityMetadatas.map((metadata) => ({
    ...tableOf(dataSource, metadata),
    columns: metadata.columns.map(({ databaseName }) => ({ name: truncateIdentifier(databaseName) })),
  }));
  const places = [...tables, ...entities].flatMap((table) =>
    namesOf(table).map((place) => ({ place, table })),
  );
  const known = {
    tables: new Set(places.map(({ place }) => place)),
    columns: new Set(
      places.flatMap(({ place, table }) => table.columns.map(({ name }) => `${place}.${name}`)),
    ),
  };
  return (['tables', 'columns'] as const).flatMap((of) =>
    Object.keys(given[of] ?? {})
      .filter((name) => !known[of].has(truncated(name)))
      .map((name) => `renamedFrom.${of} names ${name}, which no entity has: nothing is renamed to it`),
  );
}

/** PostgreSQL's name of what is told may be shorter. */
function namesAt(given: FormerNames['tables'], place: string): readonly string[] {
  return Object.entries(given ?? {}).flatMap(([name, former]) => (truncated(name) === place ? former : []));
}

function truncated(name: string): string {
  return name.split('.').map(truncateIdentifier).join('.');
}

function namesOf({ schema, name }: QualifiedName): string[] {
  return [name, `${schema}.${name}`];
}

function annotate(table: Table, declared: OfTable | undefined, given: FormerNames): Table {
  const places = namesOf(table);
  const ofTable = places.flatMap((place) => namesAt(given.tables, place));
  const formerNames = [...(declared?.names ?? []), ...ofTable.map(truncateIdentifier)];
  const columns = table.columns.map((column) => {
    const ofColumn = places.flatMap((place) => namesAt(given.columns, `${place}.${column.name}`));
    const names = [...(declared?.columns.get(column.name) ?? []), ...ofColumn.map(truncateIdentifier)];
    return names.length === 0 ? column : { ...column, formerNames: names };
  });
  return { ...table, columns, ...(formerNames.length === 0 ? {} : { formerNames }) };
}

function declaredIn(dataSource: DataSource): Map<string, OfTable> {
  const declared = new Map<string, OfTable>();
  for (const metadata of dataSource.entityMetadatas) {
    const key = keyOf(tableOf(dataSource, metadata));
    const ofTable: OfTable = declared.get(key) ?? { names: new Set(), columns: new Map() };
    for (const name of formerNamesOfClass(metadata.target)) ofTable.names.add(truncateIdentifier(name));
    for (const [column, name] of formerColumns(metadata)) {
      const names = ofTable.columns.get(column) ?? new Set<string>();
      ofTable.columns.set(column, names.add(truncateIdentifier(name)));
    }
    if (ofTable.names.size + ofTable.columns.size > 0) declared.set(key, ofTable);
  }
  return declared;
}

/** A column that a relation makes has the relation's property, not one of its own. */
function formerColumns({ columns, target }: EntityMetadata): [column: string, formerName: string][] {
  return columns.flatMap(({ databaseName, propertyName, embeddedMetadata, relationMetadata }) => {
    const owner: unknown = embeddedMetadata?.type ?? target;
    const properties = new Set([propertyName, relationMetadata?.propertyName ?? propertyName]);
    const names = [...properties].flatMap((property) => formerNamesOfProperty(owner, property));
    return names.map((name): [string, string] => [truncateIdentifier(databaseName), name]);
  });
}
