import { isPossible } from '../setup/versions.js';
import { COLUMN_TYPES, arrayOf, type Default, type TypeDesign } from './column-types.js';
import type { ColumnDesign, Condition, Design, SharedEnum, ViewDesign } from './design.js';

export const quoted = (name: string): string => `"${name}"`;
export const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

export function valuesOf({ values }: ColumnDesign, { enums }: Design): readonly string[] {
  return typeof values === 'string' ? enums[values] : values;
}

/** What is known of a column's type, be it an array or an enum. */
export function typeOf(column: ColumnDesign, design: Design): TypeDesign {
  const { type, array } = column;
  if (type === 'enum') return enumType(column, design);
  return array ? arrayOf(type) : COLUMN_TYPES[type];
}

function enumType(column: ColumnDesign, design: Design): TypeDesign {
  const values = valuesOf(column, design);
  const shared: SharedEnum | null = typeof column.values === 'string' ? column.values : null;
  const sql = (text: string): Default => ({ sql: text });
  return {
    family: 'enum',
    options: {
      type: 'enum',
      enum: [...values],
      array: column.array,
      ...(shared === null ? {} : { enumName: shared }),
    },
    samples: column.array ? ['{}', ...values.map((value) => `{${JSON.stringify(value)}}`)] : values,
    defaults: column.array
      ? arrays([sql(`'{}'`), ...values.map((value) => sql(literal(`{${JSON.stringify(value)}}`)))])
      : values.filter(mayBeDefault).map((value) => (isPlain(value) ? { value } : sql(literal(value)))),
    conditions: column.array
      ? ['cardinality($) > 0']
      : ['$ IS NOT NULL', ...values.map((value) => `$ <> ${literal(value)}`)],
    isOrdered: true,
    methods: ['hash'],
  };
}

const isPlain = (value: string): boolean => /^\w+$/.test(value);

/** TypeORM 0.3 takes the code of a function for a value of the enum. */
const arrays = (defaults: Default[]): Default[] => (isPossible({ typeorm: 1 }) ? defaults : []);
const mayBeDefault = (value: string): boolean => isPlain(value) || isPossible({ typeorm: 1 });

/** A condition in SQL. */
export function expressionOf(
  { column, form }: Condition,
  columns: readonly ColumnDesign[],
  design: Design,
): string {
  const found = columns.find(({ name }) => name === column);
  if (!found) throw new Error(`no column ${column}`);
  const { conditions } = typeOf(found, design);
  return (conditions[form % conditions.length] ?? '').replaceAll('$', () => quoted(column));
}

export function whereOf(
  where: Condition | null,
  columns: readonly ColumnDesign[],
  design: Design,
): string | null {
  return where === null ? null : expressionOf(where, columns, design);
}

export function defaultOf(column: ColumnDesign, design: Design): Default | null {
  const { defaults } = typeOf(column, design);
  return column.default === null ? null : (defaults[column.default % defaults.length] ?? null);
}

/** What fills a stored generated column; null for types that have no such expression here. */
export function storedExpression({ type, array, stored }: ColumnDesign): string | null {
  if (!stored || array) return null;
  const of = stored.of === null ? null : quoted(stored.of);
  switch (type) {
    case 'integer':
    case 'bigint':
      return of === null ? '4 * 5' : `${of} * 2`;
    case 'text':
    case 'varchar':
      return of === null ? `'x' || 'y'` : `upper(${of})`;
    default:
      return null;
  }
}

export function selectOf({ of, columns, where }: ViewDesign, design: Design): string {
  const table = design.tables.find(({ schema, name }) => `${schema}.${name}` === of);
  if (!table) throw new Error(`no table ${of}`);
  const from = `${quoted(table.schema)}.${quoted(table.name)}`;
  const condition = whereOf(where, table.columns, design);
  return `SELECT ${columns.map(quoted).join(', ')} FROM ${from}${condition === null ? '' : ` WHERE ${condition}`}`;
}
