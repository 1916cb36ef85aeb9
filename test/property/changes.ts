import fc, { type Arbitrary } from 'fast-check';
import * as draw from './arbitraries.js';
import { TYPE_NAMES } from './column-types.js';
import {
  SHARED_ENUMS,
  type ColumnDesign,
  type Design,
  type ForeignKeyDesign,
  type SharedEnum,
  type TableDesign,
  type ViewDesign,
} from './design.js';
import { typeOf } from './expressions.js';
import { foreignKeyOf, viewOf } from './references.js';
import { sound } from './sound.js';

/** A change that can be made to any design: it knows what it changes only by number. */
export interface Change {
  readonly what: string;
  readonly apply: (design: Design) => Design;
}

/** What the changes make of a design. */
export function changed(design: Design, changes: readonly Change[]): Design {
  return changes.reduce((before, { apply }) => sound(apply(before)), design);
}

const at = <Item>(items: readonly Item[], i: number): Item | undefined => items[i % items.length];
const without = <Item>(items: readonly Item[], item: Item | undefined): Item[] =>
  items.filter((each) => each !== item);
const swap = <Item>(items: readonly Item[], item: Item | undefined, other: Item): Item[] =>
  items.map((each) => (each === item ? other : each));

/** Prints as it is called with what was drawn. */
const change = <Draw>(
  what: string,
  arbitrary: Arbitrary<Draw>,
  apply: (design: Design, drawn: Draw) => Design,
): Arbitrary<Change> =>
  arbitrary.map((drawn) => ({
    what: `${what} ${JSON.stringify(drawn)}`,
    apply: (design) => apply(design, drawn),
  }));

const ofTable = <Draw>(
  what: string,
  arbitrary: Arbitrary<Draw>,
  apply: (table: TableDesign, drawn: Draw, design: Design) => TableDesign,
): Arbitrary<Change> =>
  change(what, fc.tuple(draw.pick, arbitrary), (design, [i, drawn]) => {
    const table = at(design.tables, i);
    return table ? { ...design, tables: swap(design.tables, table, apply(table, drawn, design)) } : design;
  });

const ofColumn = <Draw>(
  what: string,
  arbitrary: Arbitrary<Draw>,
  apply: (column: ColumnDesign, drawn: Draw, design: Design) => ColumnDesign,
): Arbitrary<Change> =>
  ofTable(what, fc.tuple(draw.pick, arbitrary), (table, [i, drawn], design) => {
    const column = at(table.columns, i);
    return column ? { ...table, columns: swap(table.columns, column, apply(column, drawn, design)) } : table;
  });

type Part = 'uniques' | 'indexes' | 'checks' | 'foreignKeys';

const ofPart = <Kind extends Part, Draw>(
  what: string,
  kind: Kind,
  arbitrary: Arbitrary<Draw>,
  apply: (part: TableDesign[Kind][number], drawn: Draw, table: TableDesign) => TableDesign[Kind][number],
): Arbitrary<Change> =>
  ofTable(`${what} of ${kind}`, fc.tuple(draw.pick, arbitrary), (table, [i, drawn]) => {
    const parts: readonly TableDesign[Kind][number][] = table[kind];
    const part = at(parts, i);
    return part ? { ...table, [kind]: swap(parts, part, apply(part, drawn, table)) } : table;
  });

const drop = (kind: Part): Arbitrary<Change> =>
  ofTable(`drop of ${kind}`, draw.pick, (table, i) => {
    const parts: readonly unknown[] = table[kind];
    return { ...table, [kind]: without(parts, at(parts, i)) };
  });

const rename = (kind: Part): Arbitrary<Change> =>
  ofTable(`rename of ${kind}`, fc.tuple(draw.pick, fc.constantFrom('three', 'four')), (table, [i, name]) => {
    const parts: readonly { readonly name: string | null }[] = table[kind];
    const part = at(parts, i);
    const renamed = part && { ...part, name: `${table.name} ${kind} ${name}` };
    return renamed ? { ...table, [kind]: swap(parts, part, renamed) } : table;
  });

const nothing = fc.constant(null);

/** Another type of the same family, where there is one. */
function relative(column: ColumnDesign, i: number, design: Design): ColumnDesign {
  const { family } = typeOf(column, design);
  const relatives = TYPE_NAMES.filter(
    (type) => type !== column.type && typeOf({ ...column, type, array: false }, design).family === family,
  );
  return { ...column, type: at(relatives, i) ?? column.type };
}

const ofTables: Arbitrary<Change>[] = [
  change('add table', draw.table, (design, table) => ({ ...design, tables: [...design.tables, table] })),
  change('drop table', draw.pick, (design, i) =>
    design.tables.length > 1 ? { ...design, tables: without(design.tables, at(design.tables, i)) } : design,
  ),
  ofTable('comment table', fc.option(draw.tableComment, { nil: null }), (table, comment) => ({
    ...table,
    comment,
  })),
];

const ofColumns: Arbitrary<Change>[] = [
  ofTable('add column', draw.column, (table, column) => ({ ...table, columns: [...table.columns, column] })),
  ofTable('drop column', draw.pick, (table, i) => {
    const others = table.columns.filter(({ primary }) => !primary);
    return { ...table, columns: without(table.columns, at(others, i)) };
  }),
  ofTable('turn the columns', nothing, (table) => ({ ...table, columns: table.columns.toReversed() })),
  ofColumn('relative', draw.pick, relative),
  ofColumn('type', draw.columnType, (column, type) => ({ ...column, ...type })),
  ofColumn('array', nothing, (column) => ({ ...column, array: !column.array })),
  ofColumn('nullable', nothing, (column) => ({ ...column, nullable: !column.nullable })),
  ofColumn('default', draw.pick, (column, i) => ({ ...column, default: i, stored: null })),
  ofColumn('no default', nothing, (column) => ({ ...column, default: null })),
  ofColumn('comment', fc.option(draw.comment, { nil: null }), (column, comment) => ({ ...column, comment })),
  ofColumn('collation', fc.option(draw.collation, { nil: null }), (column, collation) => ({
    ...column,
    collation,
  })),
  ofColumn(
    'stored',
    fc.option(fc.record({ of: fc.option(draw.columnName, { nil: null }) }), { nil: null }),
    (column, stored) => ({ ...column, stored }),
  ),
  ofColumn(
    'generated',
    fc.constantFrom(null, 'increment', 'identity by default', 'identity always', 'uuid'),
    (column, generated) => ({ ...column, generated }),
  ),
];

const ofEnums: Arbitrary<Change>[] = [
  ofTable('values', fc.tuple(draw.pick, draw.enumValues), (table, [i, values]) => {
    const column = at(
      table.columns.filter(({ type }) => type === 'enum'),
      i,
    );
    return column && typeof column.values !== 'string'
      ? { ...table, columns: swap(table.columns, column, { ...column, values }) }
      : table;
  }),
  ofTable('add value', fc.tuple(draw.pick, draw.pick, draw.enumValues), (table, [i, place, [value]]) => {
    const column = at(
      table.columns.filter(({ type }) => type === 'enum'),
      i,
    );
    if (!column || typeof column.values === 'string' || !value || column.values.includes(value)) return table;
    const values = column.values.toSpliced(place % (column.values.length + 1), 0, value);
    return { ...table, columns: swap(table.columns, column, { ...column, values }) };
  }),
  change(
    'values of shared',
    fc.tuple(fc.constantFrom<SharedEnum[]>(...SHARED_ENUMS), draw.enumValues),
    (design, [name, values]) => ({ ...design, enums: { ...design.enums, [name]: values } }),
  ),
];

const ofKeys: Arbitrary<Change>[] = [
  ofTable('key', draw.keyColumns, (table, key) => ({
    ...table,
    columns: [...key, ...table.columns.filter(({ primary }) => !primary)],
  })),
  ofTable('key name', fc.constantFrom(null, 'pk three'), (table, name) => ({
    ...table,
    keyName: name && `${table.name} ${name}`,
  })),
  ofTable('add unique', draw.unique, (table, unique) => ({
    ...table,
    uniques: [...table.uniques, draw.uniqueOf(unique, table)],
  })),
  drop('uniques'),
  rename('uniques'),
  ofPart('redo', 'uniques', draw.unique, ({ name }, unique, table) => ({
    ...draw.uniqueOf(unique, table),
    name,
  })),
  ofTable('add check', draw.check, (table, check) => ({
    ...table,
    checks: [...table.checks, draw.checkOf(check, table)],
  })),
  drop('checks'),
  rename('checks'),
  ofPart('redo', 'checks', draw.check, ({ name }, check, table) => ({ ...draw.checkOf(check, table), name })),
];

const ofIndexes: Arbitrary<Change>[] = [
  ofTable('add index', draw.index, (table, index) => ({
    ...table,
    indexes: [...table.indexes, draw.indexOf(index, table)],
  })),
  drop('indexes'),
  rename('indexes'),
  ofPart('redo', 'indexes', draw.index, ({ name }, index, table) => ({
    ...draw.indexOf(index, table),
    name,
  })),
];

const ofForeignKeys: Arbitrary<Change>[] = [
  change('add foreign key', fc.tuple(draw.pick, draw.foreignKey), (design, [from, foreignKey]) =>
    foreignKeyOf(design, from, foreignKey),
  ),
  drop('foreignKeys'),
  rename('foreignKeys'),
  ofPart(
    'redo',
    'foreignKeys',
    fc.record({ onDelete: draw.action, onUpdate: draw.action, deferrable: draw.deferrable }),
    (foreignKey: ForeignKeyDesign, actions) => ({ ...foreignKey, ...actions }),
  ),
];

const ofView = <Draw>(
  what: string,
  arbitrary: Arbitrary<Draw>,
  apply: (view: ViewDesign, drawn: Draw, design: Design) => ViewDesign,
): Arbitrary<Change> =>
  change(what, fc.tuple(draw.pick, arbitrary), (design, [i, drawn]) => {
    const view = at(design.views, i);
    return view ? { ...design, views: swap(design.views, view, apply(view, drawn, design)) } : design;
  });

const ofViews: Arbitrary<Change>[] = [
  change('add view', draw.view, (design, view) => ({
    ...design,
    views: [...design.views, ...viewOf(view, design)],
  })),
  change('drop view', draw.pick, (design, i) => ({
    ...design,
    views: without(design.views, at(design.views, i)),
  })),
  ofView('redo view', draw.view, (view, other, design) => {
    const [redone] = viewOf(other, design);
    return redone ? { ...redone, schema: view.schema, name: view.name } : view;
  }),
  ofView('condition of view', draw.condition, (view, condition, { tables }) => {
    const table = tables.find(({ schema, name }) => `${schema}.${name}` === view.of);
    return table ? { ...view, where: draw.conditionOf(condition, table) } : view;
  }),
];

export const changes: Arbitrary<Change[]> = fc.array(
  fc.oneof(
    fc.oneof(...ofTables),
    { arbitrary: fc.oneof(...ofColumns), weight: 3 },
    fc.oneof(...ofEnums),
    { arbitrary: fc.oneof(...ofKeys), weight: 2 },
    fc.oneof(...ofIndexes),
    fc.oneof(...ofForeignKeys),
    fc.oneof(...ofViews),
  ),
  { minLength: 1, maxLength: 6 },
);
