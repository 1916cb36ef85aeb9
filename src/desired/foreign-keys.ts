import { displayName, keyOf } from '../schema/identifier.js';
import type { Constraint, Refusal, Schema, Table } from '../schema/model.js';
import type { RenderedTable } from './render.js';

/**
 * Adds the foreign keys that the entities ask for. They are composed, not built: in the shadow each would need its
 * referenced table beside it. So PostgreSQL's own condition, a unique key over what they point to, is looked at here.
 */
export function withForeignKeys(schema: Schema, rendered: readonly RenderedTable[]): Schema {
  const wanted = new Map(rendered.map((table) => [keyOf(table), table.foreignKeys]));
  const built = new Map(schema.tables.map((table) => [keyOf(table), table]));
  const refused: Refusal[] = [];
  const tables = schema.tables.map((table) => {
    const foreignKeys = (wanted.get(keyOf(table)) ?? []).filter((foreignKey) => {
      const reason = reasonAgainst(foreignKey, built);
      if (reason !== null)
        refused.push({ schema: table.schema, name: table.name, reason, constraint: foreignKey.name });
      return reason === null;
    });
    return foreignKeys.length === 0
      ? table
      : { ...table, constraints: [...table.constraints, ...foreignKeys] };
  });
  return { ...schema, tables, refused: [...schema.refused, ...refused] };
}

/** A table that no entity of ours makes may have any keys. */
function reasonAgainst({ references }: Constraint, built: ReadonlyMap<string, Table>): string | null {
  const target = references && built.get(keyOf(references));
  if (!references || !target || isUnique(target, references.columns)) return null;
  const name = displayName(references.schema, references.name);
  return `it points to ${name} (${references.columns.join(', ')}), which is not unique; make it unique, or point to a key`;
}

function isUnique({ constraints, indexes }: Table, columns: readonly string[]): boolean {
  const isKey = (keys: readonly string[]): boolean =>
    keys.length === columns.length && columns.every((column) => keys.includes(column));
  return (
    constraints.some(
      ({ type, columns: keys }) => (type === 'primary-key' || type === 'unique') && isKey(keys),
    ) ||
    indexes.some(
      ({ unique, predicate, uniqueKeys }) => unique && predicate === null && isKey(uniqueKeys.map(unquoted)),
    )
  );
}

function unquoted(key: string): string {
  return key.startsWith('"') && key.endsWith('"') ? key.slice(1, -1).replaceAll('""', '"') : key;
}
