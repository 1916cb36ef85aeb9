import { isSameName, keyOf } from '../schema/identifier.js';
import type { QualifiedName, Schema } from '../schema/model.js';
import { fillId, type FillRecord } from './fill.js';
import { findRenames, type Renaming } from './renames.js';

/** A database as it will be once everything has its new name, and what is known about fills in it. */
export interface RenamedFills {
  readonly actual: Schema;
  readonly fills: ReadonlyMap<string, FillRecord>;
  readonly renamings: readonly Renaming[];
  /** Whether a column gets its name only then. */
  readonly isRenamed: (table: QualifiedName, column: string) => boolean;
}

/**
 * What was filled under the name that something has now is not filled again because it gets another one.
 *
 * @param fills by the names that their columns have now
 */
export function withFillsRenamed(
  desired: Schema,
  found: Schema,
  fills: ReadonlyMap<string, FillRecord>,
): RenamedFills {
  const { actual, renamings } = findRenames(desired, found);
  if (renamings.length === 0) return { actual: found, fills, renamings, isRenamed: () => false };
  const [isFound, isThere] = [columnsOf(found), columnsOf(actual)];
  const renamed = [...fills.values()].map((record) => renamings.reduce(underNewName, record));
  return {
    actual,
    fills: new Map(renamed.map((record) => [record.id, record])),
    renamings,
    isRenamed: (...name) => isThere(...name) && !isFound(...name),
  };
}

function underNewName(record: FillRecord, { finding, column }: Renaming): FillRecord {
  const { table, from, to } = finding;
  if (table === null || !isSameName(record.table, table) || (column !== null && record.column !== from))
    return record;
  const now =
    column === null
      ? { table: { schema: table.schema, name: to }, column: record.column }
      : { table: record.table, column: to };
  const { expression, where } = record;
  return { ...record, ...now, id: fillId({ ...now, expression, where }) };
}

function columnsOf({ tables }: Schema): (table: QualifiedName, column: string) => boolean {
  const byName = new Map(tables.map((table) => [keyOf(table), table.columns]));
  return (table, column) => byName.get(keyOf(table))?.some(({ name }) => name === column) ?? false;
}
