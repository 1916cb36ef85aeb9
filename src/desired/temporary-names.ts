import { printedIdentifier } from '../schema/identifier.js';
import type { Column, Constraint, Index, Schema, Table } from '../schema/model.js';

/**
 * The temporary schema is always visible, so PostgreSQL leaves it out when it prints the name of an enum in it. Here
 * the name of the namespace that it stands for is put back.
 */
export function qualifyEnums(schema: Schema, namespace: string): Schema {
  if (schema.enums.length === 0) return schema;
  const qualify = qualifier(
    schema.enums.map(({ name }) => name),
    namespace,
  );
  const ofColumn = (column: Column): Column => ({
    ...column,
    type: qualify(column.type),
    expression: column.expression === null ? null : qualify(column.expression),
  });
  const ofDefinition = <Item extends Constraint | Index>(item: Item): Item => ({
    ...item,
    definition: qualify(item.definition),
  });
  const ofTable = (table: Table): Table => ({
    ...table,
    columns: table.columns.map(ofColumn),
    constraints: table.constraints.map(ofDefinition),
    indexes: table.indexes.map(ofDefinition),
  });
  return { ...schema, tables: schema.tables.map(ofTable) };
}

/**
 * Enum names are printed as a column's whole type or behind a cast's `::`. A reserved word, which would be printed quoted,
 * TypeORM's `<table>_<column>_enum` never is.
 */
function qualifier(names: readonly string[], namespace: string): (text: string) => string {
  const printed = names.map(printedIdentifier).map(escapeForRegExp).join('|');
  const pattern = new RegExp(`(^|::)(${printed})(?![\\w"$])`, 'g');
  return (text) =>
    text.replace(
      pattern,
      (_, before: string, name: string) => `${before}${printedIdentifier(namespace)}.${name}`,
    );
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
