import type { Table } from 'typeorm';

/**
 * TypeORM doubles the quotes within names in its queries, but in its DDL puts names between quotes as they are. So the
 * names of a table that is about to be rendered are given to it doubled.
 */
export function doubleQuotes(table: Table): void {
  const { columns, indices, uniques, checks, exclusions } = table;
  doubleName(table);
  for (const column of columns) {
    doubleName(column);
    const { enumName, primaryKeyConstraintName } = column;
    if (enumName !== undefined) column.enumName = doubled(enumName);
    if (primaryKeyConstraintName !== undefined)
      column.primaryKeyConstraintName = doubled(primaryKeyConstraintName);
  }
  for (const named of [...indices, ...uniques, ...checks, ...exclusions]) doubleName(named);
  for (const keyed of [...indices, ...uniques]) keyed.columnNames = keyed.columnNames.map(doubled);
}

function doubleName(item: { name?: string }): void {
  if (item.name !== undefined) item.name = doubled(item.name);
}

function doubled(name: string): string {
  return name.replaceAll('"', '""');
}
