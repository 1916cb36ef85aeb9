import { expressionOf, storedExpression, typeOf, whereOf } from './expressions.js';
import {
  keyOf,
  nameOf,
  type ColumnDesign,
  type Design,
  type ForeignKeyDesign,
  type IndexDesign,
  type TableDesign,
  type ViewDesign,
} from './design.js';

/**
 * The nearest design that PostgreSQL and TypeORM can make: without names that occur twice, keys on columns that are gone
 * or that cannot be compared, foreign keys to what is not unique. So parts can be drawn, changed and taken away freely.
 */
export function sound(design: Design): Design {
  const tables = once(
    design.tables.map((table) => soundTable(table, design)),
    nameOf,
  );
  const inTables = { ...design, tables };
  const whole = {
    ...inTables,
    tables: tables.map((table) => ({ ...table, foreignKeys: soundForeignKeys(table, inTables) })),
  };
  const taken = new Set(tables.map(nameOf));
  const views = once(
    design.views.flatMap((view) => soundView(view, whole)).filter((view) => !taken.has(nameOf(view))),
    nameOf,
  );
  return { ...whole, views };
}

function once<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => !seen.has(key(item)) && seen.add(key(item)));
}

/** TypeORM names what has no name after its columns, in any order. */
const signatureOf = ({
  name,
  columns,
}: {
  readonly name: string | null;
  readonly columns: readonly string[];
}) => name ?? JSON.stringify(columns.toSorted());

const ID: Partial<ColumnDesign> = { type: 'integer', array: false, primary: true };

function soundTable(table: TableDesign, design: Design): TableDesign {
  const drawn = once(table.columns, ({ name }) => name.toLowerCase());
  const withKey = drawn.some(({ primary }) => primary)
    ? drawn
    : drawn.map((column, i) => (i === 0 ? { ...column, ...ID } : column));
  const plain = withKey.map((column) => soundColumn(column, design));
  const columns = plain.map((column) => soundStored(column, plain));
  const byName = new Map(columns.map((column) => [column.name, column]));
  const isOrdered = (name: string): boolean => {
    const column = byName.get(name);
    return column !== undefined && typeOf(column, design).isOrdered;
  };
  const uniques = table.uniques
    .map((unique) => ({ ...unique, columns: once(unique.columns.filter(isOrdered), String) }))
    .filter((unique) => unique.columns.length > 0);
  const indexes = table.indexes.flatMap((index) => soundIndex(index, byName, design));
  const checks = table.checks.filter(({ column }) => byName.has(column));
  const expression = (column: string, form: number): string =>
    expressionOf({ column, form }, columns, design);
  return {
    ...table,
    columns,
    uniques: once(uniques, signatureOf),
    indexes: once(
      indexes,
      (index) => index.name ?? `${signatureOf(index)} ${whereOf(index.where, columns, design)}`,
    ),
    checks: once(checks, ({ name, column, form }) => name ?? expression(column, form)),
  };
}

const COUNTABLE = ['integer', 'bigint', 'smallint'];
const COLLATABLE = ['text', 'varchar', 'varchar(10)', 'varchar(40)', 'char(3)'];

function soundColumn(drawn: ColumnDesign, design: Design): ColumnDesign {
  const isKeyable = typeOf(drawn, design).isOrdered || !drawn.primary;
  const column: ColumnDesign = isKeyable ? drawn : { ...drawn, type: 'integer', array: false };
  const isCounted = !column.array && COUNTABLE.includes(column.type);
  const generated = (column.generated === 'uuid' ? column.type === 'uuid' && !column.array : isCounted)
    ? column.generated
    : null;
  return {
    ...column,
    generated,
    stored: generated === null && !column.primary ? column.stored : null,
    nullable: column.nullable && !column.primary && generated === null,
    default: generated === null ? column.default : null,
    collation: COLLATABLE.includes(column.type) && !column.array ? column.collation : null,
  };
}

function soundStored(column: ColumnDesign, columns: readonly ColumnDesign[]): ColumnDesign {
  if (!column.stored || storedExpression(column) === null) return { ...column, stored: null };
  const base = columns.find(({ name }) => name === column.stored?.of);
  const isUsable = base && base !== column && !base.stored && !base.array && base.type === column.type;
  return { ...column, default: null, stored: { of: isUsable ? base.name : null } };
}

function soundIndex(
  index: IndexDesign,
  columns: ReadonlyMap<string, ColumnDesign>,
  design: Design,
): IndexDesign[] {
  const known = once(
    index.columns.filter((name) => columns.has(name)),
    String,
  );
  const where = index.where && columns.has(index.where.column) ? index.where : null;
  const first = columns.get(known[0] ?? '');
  if (!first) return [];
  const type = typeOf(first, design);
  if (index.method !== 'btree' && type.methods.includes(index.method))
    return [{ ...index, columns: [first.name], where, unique: false }];
  const ordered = known.filter((name) => {
    const column = columns.get(name);
    return column && typeOf(column, design).isOrdered;
  });
  return ordered.length === 0 ? [] : [{ ...index, columns: ordered, where, method: 'btree' }];
}

function soundForeignKeys(table: TableDesign, design: Design): ForeignKeyDesign[] {
  const kept = table.foreignKeys.filter((foreignKey) => isPossible(foreignKey, table, design));
  const byColumns = once(kept, ({ columns }) => JSON.stringify(columns.toSorted()));
  return once(byColumns, signatureOf).map((foreignKey) => {
    const isStored = table.columns.some(({ name, stored }) => stored && foreignKey.columns.includes(name));
    return isStored ? { ...foreignKey, onDelete: 'NO ACTION', onUpdate: 'NO ACTION' } : foreignKey;
  });
}

function isPossible(foreignKey: ForeignKeyDesign, table: TableDesign, { tables }: Design): boolean {
  const target = tables.find((each) => nameOf(each) === foreignKey.target);
  if (!target || !keysOf(target).some((key) => isSameSet(key, foreignKey.targetColumns))) return false;
  return foreignKey.columns.every((name, i) => {
    const column = table.columns.find((each) => each.name === name);
    const other = target.columns.find((each) => each.name === foreignKey.targetColumns[i]);
    return column && other && mayPointTo(column, other);
  });
}

/** What a foreign key may point to. */
export function keysOf(table: TableDesign): string[][] {
  const uniques = table.uniques.filter(({ deferrable }) => deferrable === null);
  return [keyOf(table), ...uniques.map(({ columns }) => [...columns])];
}

export function mayPointTo(column: ColumnDesign, other: ColumnDesign): boolean {
  return (
    column.type === other.type &&
    column.type !== 'enum' &&
    // PostgreSQL itself stumbles over some: "cannot determine element type of anyarray".
    !column.array &&
    !other.array &&
    column.collation === other.collation
  );
}

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());

function soundView(view: ViewDesign, design: Design): ViewDesign[] {
  const table = design.tables.find((each) => nameOf(each) === view.of);
  if (!table) return [];
  const has = (column: string): boolean => table.columns.some(({ name }) => name === column);
  const columns = once(view.columns.filter(has), String);
  const first = table.columns.find(({ name }) => name === columns[0]);
  if (!first) return [];
  return [
    {
      ...view,
      columns,
      where: view.where && has(view.where.column) ? view.where : null,
      indexed: view.indexed && view.materialized && typeOf(first, design).isOrdered,
    },
  ];
}
