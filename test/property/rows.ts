import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../src/schema/identifier.js';
import type { TestDatabase } from '../setup/database.js';
import { nameOf, type ColumnDesign, type Design, type RowDesign, type TableDesign } from './design.js';
import { typeOf } from './expressions.js';

/** One statement a row. */
export function insertsOf(rows: readonly RowDesign[], design: Design): string[] {
  return rows.flatMap(({ table: i, values }) => {
    const table = design.tables[i % design.tables.length];
    return table ? [insertOf(table, values, design)] : [];
  });
}

function insertOf(table: TableDesign, numbers: readonly number[], design: Design): string {
  const given = table.columns.flatMap((column, i): [string, string][] => {
    const value = valueOf(column, numbers[i % numbers.length] ?? 0, design);
    return value === null ? [] : [[quoteIdentifier(column.name), value]];
  });
  const into = `INSERT INTO ${quoteQualified(table)}`;
  if (given.length === 0) return `${into} DEFAULT VALUES`;
  const [columns, values] = [given.map(([name]) => name), given.map(([, value]) => value)];
  return `${into} (${columns.join(', ')}) VALUES (${values.join(', ')})`;
}

/** Null where the column is to fill itself. */
function valueOf(column: ColumnDesign, number: number, design: Design): string | null {
  if (column.generated || column.stored) return null;
  if (number === 0 && column.nullable) return 'NULL';
  const { samples } = typeOf(column, design);
  return quoteLiteral(samples[number % samples.length] ?? '');
}

/** Inserts what the constraints let in; twice, as rows may point to others that come later. */
export async function insertRows(database: TestDatabase, inserts: readonly string[]): Promise<void> {
  const blocks = [...inserts, ...inserts].map(
    (insert) => `do $row$ begin
      ${insert}; set constraints all immediate;
    exception when integrity_constraint_violation then null; end $row$`,
  );
  if (blocks.length > 0) await database.query(blocks.join(';\n'));
}

/** Every value of every row of these tables, as text. */
export async function valuesIn(database: TestDatabase, { tables }: Design): Promise<string[]> {
  const values: string[] = [];
  for (const table of tables) {
    const columns = table.columns.map(({ name }) => `${quoteIdentifier(name)}::text collate "C"`);
    const rows = await database.query<{ row: string[] }>(
      `select array[${columns.join(', ')}] as row from ${quoteQualified(table)} order by 1`,
    );
    values.push(...rows.map(({ row }) => `${nameOf(table)}: ${JSON.stringify(row)}`));
  }
  return values;
}
