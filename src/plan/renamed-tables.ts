import type { Difference } from '../drift/drift-kind.js';
import { withTableAs } from '../drift/renamed-schema.js';
import { isSameName } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';

/**
 * What is planned for a table that is to be renamed speaks of it by its new name, while the database still has it by the
 * old one. So that planners find what it is, and who owns it, it is known by both.
 */
export function knownByBothNames(actual: Schema, differences: readonly Difference[]): Schema {
  const renamed = differences.flatMap((each): Table[] => {
    if (each.kind !== 'renamed-table' || each.conflict !== null || !each.table) return [];
    const then = { schema: each.table.schema, name: each.to };
    return withTableAs(actual, then, each.from).tables.filter((table) => isSameName(table, then));
  });
  return { ...actual, tables: [...actual.tables, ...renamed] };
}
