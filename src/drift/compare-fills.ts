import { displayName } from '../schema/identifier.js';
import type { Column, QualifiedName, Schema, Table } from '../schema/model.js';
import type { Difference } from './drift-kind.js';
import type { RenamedFills } from './renamed-fills.js';
import { declaredFill, defaultFill, fillId, isRefused, type Fill, type FillRecord } from './fill.js';

/** What is known about fills besides the two schemas. */
export interface FillFacts {
  /** By their ids. */
  readonly fills: ReadonlyMap<string, FillRecord>;
  /** The ids of those that are repeated and have found rows to fill. */
  readonly unfilled: ReadonlySet<string>;
  /** Processes of an older release may be inserting rows without the column. */
  readonly olderReleaseIsAlive: boolean;
}

/** A column that is filled, as it is wanted and as it is there. */
export interface FilledColumn {
  readonly table: Table;
  /** Annotated, where a backfill is declared. */
  readonly column: Column;
  readonly foundTable: Table | undefined;
  readonly found: Column | undefined;
  /** It is there, but has its former name yet. */
  readonly isRenamed: boolean;
}

/** The columns that a fill is declared for, or that a healing has begun to fill. */
export function filledColumns(desired: Schema, { actual, fills, isRenamed }: RenamedFills): FilledColumn[] {
  const begun = new Set([...fills.values()].filter(isBegun).map(({ table, column }) => keyOf(table, column)));
  const there = new Map(actual.tables.map((table) => [keyOf(table), table]));
  const wanted = new Set(desired.tables.map((table) => keyOf(table)));
  // A table that is in no entity can be filled, too.
  const others = actual.tables.filter((table) => !wanted.has(keyOf(table)));
  return [...desired.tables, ...others].flatMap((table) =>
    table.columns
      .filter(({ backfill, name }) => backfill || (begun.size > 0 && begun.has(keyOf(table, name))))
      .map((column) => {
        const foundTable = there.get(keyOf(table));
        const found = foundTable?.columns.find(({ name }) => name === column.name);
        return { table, column, foundTable, found, isRenamed: isRenamed(table, column.name) };
      }),
  );
}

/** The fills that are declared, or that a healing has begun, and are not done yet. */
export function compareFills(columns: readonly FilledColumn[], facts: FillFacts): Difference[] {
  return columns.flatMap((each) => {
    const { table, column, found } = each;
    const declared = column.backfill && declaredFill(table, column.name, column.backfill);
    const byDefault = defaultFill(table, column.name);
    return [
      ...(declared && isDue(declared, each, facts) ? [declared] : []),
      ...(found && isGoingOn(byDefault, found, facts) ? [byDefault] : []),
    ].map((fill) => {
      const record = found ? (facts.fills.get(fillId(fill)) ?? null) : null;
      return unfilled(fill, record, !facts.olderReleaseIsAlive);
    });
  });
}

function isDue(
  fill: Fill,
  { foundTable, found, isRenamed }: FilledColumn,
  { fills, unfilled: repeated, olderReleaseIsAlive }: FillFacts,
): boolean {
  const id = fillId(fill);
  const state = fills.get(id)?.state;
  // A column that was dropped since is added without its values.
  if (foundTable && !found) return true;
  if (fill.repeat === 'every-run') return found !== undefined && (isRenamed || repeated.has(id));
  // What has left rows without a value may read rows of another fill that were refused, and are tried again later.
  if (state === 'swept') return !olderReleaseIsAlive && ![...fills.values()].some(isRefused);
  return state !== 'done';
}

/** Whether any that is declared is to be swept once more when an older release has gone. */
export function awaitsLastSweep(
  columns: readonly FilledColumn[],
  { fills }: Pick<FillFacts, 'fills'>,
): boolean {
  return columns.some(
    ({ table, column: { name, backfill } }) =>
      backfill && fills.get(fillId(declaredFill(table, name, backfill)))?.state === 'swept',
  );
}

/** Only a healing begins it: where a default was there before, rows with NULL are the application's. */
function isGoingOn(fill: Fill, { expression, serial, identity }: Column, { fills }: FillFacts): boolean {
  const hasDefault = expression !== null || serial || identity !== null;
  const record = fills.get(fillId(fill));
  return hasDefault && record !== undefined && isBegun(record);
}

function isBegun({ expression, state }: FillRecord): boolean {
  return expression === null && state === 'pending';
}

function keyOf({ schema, name }: QualifiedName, column?: string): string {
  return JSON.stringify([schema, name, column]);
}

/** @param record null where the fill begins anew */
export function unfilled(
  fill: Fill,
  record: FillRecord | null,
  isFinal: boolean,
): Difference<'unfilled-column'> {
  const { table, column, expression } = fill;
  return {
    kind: 'unfilled-column',
    object: displayName(table.schema, table.name, column),
    table,
    desired: `${expression ?? 'its default'} where it is NULL`,
    actual: null,
    fill,
    record,
    isFinal,
  };
}
