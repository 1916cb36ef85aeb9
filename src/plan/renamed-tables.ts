import type { Difference } from '../drift/drift-kind.js';
import { withColumnAs, withTableAs } from '../drift/renamed-schema.js';
import { isSameName, keyOf } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';

/**
 * What is planned for a table that is to be renamed speaks of it by its new name, while the database still has it by the
 * old one. So that planners find what it is, and who owns it, it is known by both; and so are the foreign keys of all
 * tables, by the names of tables and columns.
 */
export function knownByBothNames(actual: Schema, differences: readonly Difference[]): Schema {
  const renamed = differences.flatMap((each): Table[] => {
    if (each.kind !== 'renamed-table' || each.conflict !== null || !each.table) return [];
    const then = { schema: each.table.schema, name: each.to };
    return withTableAs(actual, then, each.from).tables.filter((table) => isSameName(table, then));
  });
  const { tables: then } = differences.reduce(renamedBy, actual);
  if (then === actual.tables) return actual;
  const constraintsOf = new Map(then.map((table) => [keyOf(table), table.constraints]));
  const known = [...actual.tables, ...renamed];
  return {
    ...actual,
    tables: known.map((table) => withForeignKeysOf(table, constraintsOf.get(keyOf(table)) ?? [])),
  };
}

function renamedBy(schema: Schema, difference: Difference): Schema {
  if (difference.kind !== 'renamed-table' && difference.kind !== 'renamed-column') return schema;
  const { table, conflict, from, to } = difference;
  if (!table || conflict !== null) return schema;
  if (difference.kind === 'renamed-table')
    return withTableAs(schema, { schema: table.schema, name: to }, from);
  const found = schema.tables.find((each) => isSameName(each, table));
  return found ? withColumnAs(schema, found, from, to) : schema;
}

function withForeignKeysOf(table: Table, renamed: Table['constraints']): Table {
  const known = new Set(table.constraints.map(({ definition }) => definition));
  const foreignKeys = renamed.filter(({ references, definition }) => references && !known.has(definition));
  return foreignKeys.length === 0 ? table : { ...table, constraints: [...table.constraints, ...foreignKeys] };
}
