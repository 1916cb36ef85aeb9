import type { Column, Enum, Index } from '../schema/model.js';

/** A column as one would write it behind ADD COLUMN, without its name. */
export function describeColumn(column: Column): string {
  return [
    column.type,
    column.collation === null ? '' : `COLLATE ${column.collation}`,
    describeGeneration(column),
    column.expression === null || column.generated ? '' : `DEFAULT ${column.expression}`,
    column.notNull ? 'NOT NULL' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Where a column's values come from, if not from the application or a plain default. */
export function describeGeneration(column: Column): string {
  if (column.identity) return `GENERATED ${column.identity.toUpperCase()} AS IDENTITY`;
  if (column.generated) return `GENERATED ALWAYS AS (${column.expression}) ${column.generated.toUpperCase()}`;
  return column.serial ? 'DEFAULT nextval of its own sequence' : '';
}

export function describeIndex({ unique, definition }: Index): string {
  return unique ? `UNIQUE ${definition}` : definition;
}

export function describeEnum({ values }: Enum): string {
  return `ENUM (${values.map((value) => `'${value}'`).join(', ')})`;
}
