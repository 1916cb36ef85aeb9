import { quoteIdentifier } from '../schema/identifier.js';
import type { Column } from '../schema/model.js';

/** The pseudo-types that make a sequence owned by their column. */
const SERIALS: Record<string, string> = { smallint: 'smallserial', integer: 'serial', bigint: 'bigserial' };

/** A column as it stands in CREATE TABLE and behind ADD COLUMN. */
export function columnDefinition(column: Column): string {
  const type = column.serial ? (SERIALS[column.type] ?? column.type) : column.type;
  return [
    quoteIdentifier(column.name),
    type,
    column.collation === null ? '' : `COLLATE ${column.collation}`,
    valueSource(column),
    column.notNull ? 'NOT NULL' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** How a definition of the column may begin: a serial is one of its type. */
export function definitionHeads({ name, type }: Pick<Column, 'name' | 'type'>): string[] {
  return [type, SERIALS[type]].flatMap((each) =>
    each === undefined ? [] : [`${quoteIdentifier(name)} ${each}`],
  );
}

function valueSource({ identity, generated, expression }: Column): string {
  if (identity) return `GENERATED ${identity.toUpperCase()} AS IDENTITY`;
  if (generated) return `GENERATED ALWAYS AS (${expression}) ${generated.toUpperCase()}`;
  return expression === null ? '' : `DEFAULT ${expression}`;
}

/** Whether the column has a value in every row that is inserted without it. */
export function fillsItself({ identity, generated, serial, expression }: Column): boolean {
  return (
    identity !== null ||
    generated !== null ||
    serial ||
    (expression !== null && !/^NULL(::|$)/.test(expression))
  );
}

/** Whether adding the column writes the whole table anew: its values are not the same for every row. */
export function isAddedByRewrite({ identity, generated, serial, volatile }: Column): boolean {
  return identity !== null || generated === 'stored' || serial || volatile;
}
