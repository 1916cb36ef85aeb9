import type { Difference } from '../drift/drift-kind.js';
import { enclosed } from '../drift/fill.js';
import { displayName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';

/** The columns that are missing, by their tables, as in reports. */
export type NewColumns = ReadonlyMap<string, readonly Column[]>;

export function newColumnsIn(differences: readonly Difference[]): NewColumns {
  const columns = new Map<string, Column[]>();
  for (const difference of differences) {
    if (difference.kind !== 'missing-column' || !difference.table) continue;
    const table = displayName(difference.table.schema, difference.table.name);
    columns.set(table, [...(columns.get(table) ?? []), difference.wanted]);
  }
  return columns;
}

/**
 * The rows of a table with what they will have in the columns of these names that are missing yet: what is to be enforced
 * on them afterwards can be asked for before. As it stands in FROM, without an alias.
 *
 * @param names bare or quoted
 */
export function rowsOf(table: QualifiedName, names: readonly string[], newColumns: NewColumns): string {
  const added = (newColumns.get(displayName(table.schema, table.name)) ?? []).filter(
    (column) =>
      isForeseeable(column) && (names.includes(column.name) || names.includes(quoteIdentifier(column.name))),
  );
  if (added.length === 0) return quoteQualified(table);
  const alias = quoteIdentifier(table.name);
  const values = added.map((column) => `${valueOf(column)} as ${quoteIdentifier(column.name)}`);
  return `(select ${alias}.*, ${values.join(', ')} from ${quoteQualified(table)} as ${alias})`;
}

/** What a sequence gives is asked of nobody. */
function isForeseeable({ serial, identity }: Column): boolean {
  return !serial && identity === null;
}

/** Its default, or else what fills it. */
function valueOf({ type, expression, backfill }: Column): string {
  const given = expression === null ? `null::${type}` : `(${expression})::${type}`;
  if (!backfill) return given;
  const filled = `(${enclosed(backfill.expression)})::${type}`;
  const where = backfill.where === null ? filled : `case when ${enclosed(backfill.where)} then ${filled} end`;
  return `coalesce(${given}, ${where})`;
}
