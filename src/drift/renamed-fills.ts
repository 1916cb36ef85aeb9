import { isSameName, keyOf } from '../schema/identifier.js';
import type { QualifiedName, Schema, Table } from '../schema/model.js';
import { fillId, type FillRecord } from './fill.js';
import { findRenames } from './renames.js';

/** Another name of a table, or of a column of it. */
export interface Renamed {
  /** By its name before; for a column by the one at that moment. */
  readonly table: QualifiedName;
  /** By its name before; null for the table itself. */
  readonly column: string | null;
  readonly to: string;
}

type Named = Pick<FillRecord, 'id' | 'table' | 'column' | 'expression' | 'where'>;

/** What is written down about a fill, by the new name of what it fills; null where that is something else. */
export function renamedFill<Record extends Named>(
  record: Record,
  { table, column, to }: Renamed,
): Record | null {
  if (!isSameName(record.table, table) || (column !== null && record.column !== column)) return null;
  return column === null
    ? underName(record, { schema: table.schema, name: to }, record.column)
    : underName(record, record.table, to);
}

function underName<Record extends Named>(record: Record, table: QualifiedName, column: string): Record {
  const { expression, where } = record;
  return { ...record, table, column, id: fillId({ table, column, expression, where }) };
}

/** A database as it will be once everything has its new name, and what is known about fills in it. */
export interface RenamedFills {
  readonly actual: Schema;
  readonly fills: ReadonlyMap<string, FillRecord>;
  /** Whether a column gets its name only then. */
  readonly isRenamed: (table: QualifiedName, column: string) => boolean;
}

/**
 * What was filled under a former name is not filled again: neither while the rename is still to be made, nor after
 * somebody else has made it.
 */
export function withFillsRenamed(
  desired: Schema,
  found: Schema,
  fills: ReadonlyMap<string, FillRecord>,
): RenamedFills {
  const { actual } = findRenames(desired, found);
  const [isFound, isThere] = [columnsOf(found), columnsOf(actual)];
  const isRenamed: RenamedFills['isRenamed'] = (...name) => isThere(...name) && !isFound(...name);
  const formerly = wantedByFormerName(desired);
  const renamed = new Map<string, FillRecord>();
  const followed: FillRecord[] = [];
  for (const record of fills.values()) {
    const { table, column } = record;
    // The column that it was about has made room for the one that gets its name.
    if (isRenamed(table, column)) continue;
    renamed.set(record.id, record);
    const wanted = isThere(table, column) ? null : columnNow(formerly.get(keyOf(table)) ?? [], record);
    if (wanted && isThere(wanted.table, wanted.column))
      followed.push(underName(record, wanted.table, wanted.column));
  }
  for (const record of followed) if (!renamed.has(record.id)) renamed.set(record.id, record);
  return { actual, fills: renamed, isRenamed };
}

function columnsOf({ tables }: Schema): (table: QualifiedName, column: string) => boolean {
  const byName = new Map(tables.map((table) => [keyOf(table), table.columns]));
  return (table, column) => byName.get(keyOf(table))?.some(({ name }) => name === column) ?? false;
}

/** Tables by all the names that they have or had. */
function wantedByFormerName({ tables }: Schema): ReadonlyMap<string, readonly Table[]> {
  const byName = new Map<string, Table[]>();
  for (const table of tables) {
    for (const name of [table.name, ...(table.formerNames ?? [])]) {
      const key = keyOf({ schema: table.schema, name });
      byName.set(key, [...(byName.get(key) ?? []), table]);
    }
  }
  return byName;
}

function columnNow(
  tables: readonly Table[],
  { column }: FillRecord,
): { readonly table: QualifiedName; readonly column: string } | null {
  for (const { schema, name, columns } of tables) {
    const wanted = columns.find((each) => each.name === column || each.formerNames?.includes(column));
    if (wanted) return { table: { schema, name }, column: wanted.name };
  }
  return null;
}
