import {
  nameOf,
  type ColumnDesign,
  type Design,
  type ForeignKeyDesign,
  type TableDesign,
  type ViewDesign,
} from './design.js';
import { keysOf, mayPointTo } from './sound.js';

/** A condition that knows its column only by number. */
export interface ConditionDraw {
  readonly column: number;
  readonly form: number;
}

/** A foreign key that knows its parts only by number. */
export interface ForeignKeyDraw extends Omit<ForeignKeyDesign, 'columns' | 'target' | 'targetColumns'> {
  readonly target: number;
  /** Which of the target's keys. */
  readonly key: number;
  /** Which of the columns that may point there; null for one of its own, which is added. */
  readonly columns: readonly (number | null)[];
}

export interface ViewDraw extends Omit<ViewDesign, 'of' | 'columns' | 'where'> {
  readonly of: number;
  readonly columns: readonly number[];
  readonly where: ConditionDraw | null;
}

/** The design with a foreign key more, and with the columns that it takes. */
export function foreignKeyOf(design: Design, from: number, draw: ForeignKeyDraw): Design {
  const { tables } = design;
  const table = tables[from % tables.length];
  const target = tables[draw.target % tables.length];
  if (!table || !target) return design;
  const keys = keysOf(target);
  const key = keys[draw.key % keys.length] ?? [];
  const more: ColumnDesign[] = [];
  const columns = key.map((name, i) => {
    const other = target.columns.find((each) => each.name === name);
    const fitting = table.columns.filter((column) => other && mayPointTo(column, other) && column !== other);
    const choice = draw.columns[i] ?? null;
    const found = choice === null ? undefined : fitting[choice % fitting.length];
    if (found || !other) return found?.name ?? '';
    const added = pointerTo(other, `${target.name}_${name}`);
    more.push(added);
    return added.name;
  });
  const foreignKey: ForeignKeyDesign = {
    ...draw,
    name: draw.name,
    columns,
    target: nameOf(target),
    targetColumns: key,
  };
  const linked: TableDesign = {
    ...table,
    columns: [...table.columns, ...more],
    foreignKeys: [...table.foreignKeys, foreignKey],
  };
  return { ...design, tables: tables.map((each) => (each === table ? linked : each)) };
}

function pointerTo(column: ColumnDesign, name: string): ColumnDesign {
  return { ...column, name, primary: false, nullable: true, generated: null, stored: null, default: null };
}

export function viewOf({ of, columns, where, ...draw }: ViewDraw, { tables }: Design): ViewDesign[] {
  const table = tables[of % tables.length];
  if (!table) return [];
  const nameAt = (i: number): string => table.columns[i % table.columns.length]?.name ?? '';
  return [
    {
      ...draw,
      of: nameOf(table),
      columns: columns.map(nameAt),
      where: where && { column: nameAt(where.column), form: where.form },
    },
  ];
}
