import fc, { type Arbitrary } from 'fast-check';
import { isPossible } from '../setup/versions.js';
import { TYPE_NAMES, TYPES_OF_ARRAYS, type TypeName } from './column-types.js';
import {
  SCHEMAS,
  SHARED_ENUMS,
  type Action,
  type ColumnDesign,
  type Condition,
  type Design,
  type Generated,
  type IndexDesign,
  type RowDesign,
  type TableDesign,
  type UniqueDesign,
} from './design.js';
import {
  foreignKeyOf,
  viewOf,
  type ConditionDraw,
  type ForeignKeyDraw,
  type ViewDraw,
} from './references.js';
import { sound } from './sound.js';

// Of each choice the first is the simplest: shrinking goes there.

/** A number that stands for one of however many there are. */
export const pick = fc.nat(11);

const COLUMN_NAMES = ['a', 'b', 'c', 'd', 'e', 'Mixed Case', 'order', 'größe'] as const;
const TABLE_NAMES = ['guest', 'room', 'stay', 'Order Line', 'user'] as const;
const VALUES = ['new', 'paid', 'sent', "it's", 'Two Words', 'größe'] as const;

const rarely = <Value>(arbitrary: Arbitrary<Value>): Arbitrary<Value | null> =>
  fc.option(arbitrary, { freq: 4, nil: null }).map((value) => value);
const seldom = <Value>(arbitrary: Arbitrary<Value>): Arbitrary<Value | null> =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, { arbitrary, weight: 1 });

export const schemaName = fc.oneof(
  { arbitrary: fc.constant(SCHEMAS[0]), weight: 4 },
  { arbitrary: fc.constant(SCHEMAS[1]), weight: 1 },
);
export const columnName = fc.constantFrom(...COLUMN_NAMES);
export const comment = fc.constantFrom('a comment', "it's said", 'line\nbreak \\ "quoted"');
/** TypeORM 0.3 writes that of a table without doubling its quotes. */
export const tableComment = isPossible({ typeorm: 1 })
  ? comment
  : comment.filter((text) => !text.includes("'"));
export const collation = fc.constantFrom('C', 'POSIX');
export const deferrable = seldom(fc.constantFrom('INITIALLY DEFERRED', 'INITIALLY IMMEDIATE'));
export const action = fc.constantFrom<Action[]>('NO ACTION', 'CASCADE', 'SET NULL', 'RESTRICT');
export const enumValues = fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 4 });
const enumOf = fc.oneof(
  { arbitrary: enumValues, weight: 2 },
  { arbitrary: fc.constantFrom(...SHARED_ENUMS), weight: 1 },
);

export type TypeDraw = Pick<ColumnDesign, 'type' | 'array' | 'values'>;
const values = fc.constant(['new']);
const plainType: Arbitrary<TypeDraw> = fc.record({
  type: fc.constantFrom(...TYPE_NAMES),
  array: fc.constant(false),
  values,
});
const commonType: Arbitrary<TypeDraw> = fc.record({
  type: fc.constantFrom<TypeName[]>('integer', 'text', 'varchar(10)', 'varchar(40)', 'bigint', 'timestamptz'),
  array: fc.constant(false),
  values,
});
const arrayType: Arbitrary<TypeDraw> = fc.record({
  type: fc.constantFrom(...TYPES_OF_ARRAYS),
  array: fc.constant(true),
  values,
});
const enumType: Arbitrary<TypeDraw> = fc.record({
  type: fc.constant('enum' as const),
  array: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, { arbitrary: fc.constant(true), weight: 1 }),
  values: enumOf,
});
export const columnType: Arbitrary<TypeDraw> = fc.oneof(
  { arbitrary: commonType, weight: 4 },
  { arbitrary: plainType, weight: 4 },
  { arbitrary: enumType, weight: 2 },
  { arbitrary: arrayType, weight: 1 },
);

const NEVER = { primary: fc.constant(false), generated: fc.constant(null) };

export const column: Arbitrary<ColumnDesign> = fc
  .record({
    name: columnName,
    type: columnType,
    ...NEVER,
    nullable: fc.boolean().map((isRequired) => !isRequired),
    default: fc.option(pick, { freq: 2, nil: null }),
    stored: seldom(fc.record({ of: fc.option(columnName, { nil: null }) })),
    collation: seldom(collation),
    comment: seldom(comment),
  })
  .map(({ type, ...rest }) => ({ ...rest, ...type }));

const keyColumn = (
  name: string,
  type: TypeName,
  generated: Generated | null = null,
  rest: Partial<ColumnDesign> = {},
): ColumnDesign => ({
  name,
  type,
  array: false,
  values: ['new'],
  primary: true,
  nullable: false,
  default: null,
  generated,
  stored: null,
  collation: null,
  comment: null,
  ...rest,
});

export const keyColumns: Arbitrary<ColumnDesign[]> = fc.constantFrom(
  [keyColumn('id', 'integer')],
  [keyColumn('id', 'integer', 'increment')],
  [keyColumn('id', 'bigint', 'increment')],
  [keyColumn('id', 'smallint', 'increment')],
  [keyColumn('id', 'integer', 'identity by default')],
  [keyColumn('id', 'bigint', 'identity always')],
  [keyColumn('id', 'uuid', 'uuid')],
  [keyColumn('id', 'text')],
  [keyColumn('id', 'varchar(10)')],
  [keyColumn('id', 'uuid', null, { default: 0 })],
  [keyColumn('id', 'integer'), keyColumn('part', 'text')],
  [keyColumn('part', 'text'), keyColumn('id', 'integer', 'increment')],
);

export const name = (kind: string): Arbitrary<string | null> =>
  rarely(fc.constantFrom(`${kind} one`, `${kind}_two`));

export const condition: Arbitrary<ConditionDraw> = fc.record({ column: pick, form: pick });
export const conditionOf = (draw: ConditionDraw, { columns }: Pick<TableDesign, 'columns'>): Condition => ({
  column: columns[draw.column % columns.length]?.name ?? '',
  form: draw.form,
});

const someColumns = fc.array(pick, { minLength: 1, maxLength: 2 });
const columnsOf = (picks: readonly number[], { columns }: Pick<TableDesign, 'columns'>): string[] =>
  picks.map((each) => columns[each % columns.length]?.name ?? '');

export interface UniqueDraw extends Omit<UniqueDesign, 'columns'> {
  readonly columns: readonly number[];
}
export const unique: Arbitrary<UniqueDraw> = fc.record({
  name: name('uq'),
  columns: someColumns,
  deferrable,
});

export interface IndexDraw extends Omit<IndexDesign, 'columns' | 'where'> {
  readonly columns: readonly number[];
  readonly where: ConditionDraw | null;
}
export const method = fc.oneof(
  { arbitrary: fc.constant('btree' as const), weight: 3 },
  { arbitrary: fc.constantFrom('hash' as const, 'brin', 'gin', 'gist'), weight: 1 },
);
export const index: Arbitrary<IndexDraw> = fc.record({
  name: name('ix'),
  columns: someColumns,
  unique: fc.boolean(),
  where: rarely(condition),
  method,
});

export interface CheckDraw extends ConditionDraw {
  readonly name: string | null;
}
export const check: Arbitrary<CheckDraw> = fc.record({ name: name('ck'), column: pick, form: pick });

export const foreignKey: Arbitrary<ForeignKeyDraw> = fc.record({
  name: name('fk'),
  target: pick,
  key: fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, { arbitrary: pick, weight: 1 }),
  columns: fc.array(fc.option(pick, { nil: null }), { minLength: 2, maxLength: 2 }),
  onDelete: action,
  onUpdate: action,
  deferrable,
});

/** Index names are of a schema, the others of a table; all get their table's. */
const prefixed = (table: string, given: string | null): string | null =>
  given === null ? null : `${table} ${given}`;
export const uniqueOf = (draw: UniqueDraw, table: TableDesign): UniqueDesign => ({
  ...draw,
  name: prefixed(table.name, draw.name),
  columns: columnsOf(draw.columns, table),
});
export const indexOf = (draw: IndexDraw, table: TableDesign): IndexDesign => ({
  ...draw,
  name: prefixed(table.name, draw.name),
  columns: columnsOf(draw.columns, table),
  where: draw.where && conditionOf(draw.where, table),
});
export const checkOf = (draw: CheckDraw, table: TableDesign) => ({
  name: draw.name,
  ...conditionOf(draw, table),
});

/** A table without foreign keys, which need all tables. */
export const table: Arbitrary<TableDesign> = fc
  .record({
    schema: schemaName,
    name: fc.constantFrom(...TABLE_NAMES),
    comment: seldom(tableComment),
    keyName: seldom(fc.constantFrom('pk one', 'pk_two')),
    key: keyColumns,
    columns: fc.array(column, { maxLength: 6 }),
    uniques: fc.array(unique, { maxLength: 2 }),
    indexes: fc.array(index, { maxLength: 2 }),
    checks: fc.array(check, { maxLength: 2 }),
  })
  .map(({ key, uniques, indexes, checks, ...rest }) => {
    const keyName = prefixed(rest.name, rest.keyName);
    const columns = [...key, ...rest.columns];
    const bare = { ...rest, keyName, columns, uniques: [], indexes: [], checks: [], foreignKeys: [] };
    return {
      ...bare,
      uniques: uniques.map((draw) => uniqueOf(draw, bare)),
      indexes: indexes.map((draw) => indexOf(draw, bare)),
      checks: checks.map((draw) => checkOf(draw, bare)),
    };
  });

export const view: Arbitrary<ViewDraw> = fc.record({
  schema: schemaName,
  name: fc.constantFrom('shown', 'Shown Too'),
  materialized: fc.boolean(),
  of: pick,
  columns: fc.array(pick, { minLength: 1, maxLength: 3 }),
  where: rarely(condition),
  indexed: fc.boolean(),
});

export const design: Arbitrary<Design> = fc
  .record({
    tables: fc.array(table, { minLength: 1, maxLength: 3 }),
    foreignKeys: fc.array(fc.tuple(pick, foreignKey), { maxLength: 3 }),
    views: fc.array(view, { maxLength: 2 }),
    level: enumValues,
    mood: enumValues,
  })
  .map(({ tables, foreignKeys, views, level, mood }) => {
    const bare = sound({ tables, views: [], enums: { level, Mood: mood } });
    const linked = foreignKeys.reduce((whole, [from, draw]) => foreignKeyOf(whole, from, draw), bare);
    return sound({ ...linked, views: views.flatMap((draw) => viewOf(draw, linked)) });
  });

export const rows: Arbitrary<RowDesign[]> = fc.array(
  fc.record({ table: pick, values: fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }) }),
  { maxLength: 8 },
);
