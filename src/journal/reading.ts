import type { Connection } from '../schema/connection.js';

/** A statement without parameters, and what its rows mean. */
export interface Reading<Value> {
  readonly sql: string;
  /** Takes rows of whatever form the statement has. */
  readonly toValue: (rows: readonly never[]) => Value;
}

/** Where the table to be read is not there. */
export function nothingToRead<Value>(value: Value): Reading<Value> {
  return { sql: 'select', toValue: () => value };
}

type Readings<Values extends object> = { readonly [Name in keyof Values]: Reading<Values[Name]> };

/** Reads all in one round trip; as they are statements of READ COMMITTED, each sees what was committed before it. */
export async function readTogether<Values extends object>(
  connection: Connection,
  readings: Readings<Values>,
): Promise<Values> {
  const all = Object.entries<Reading<unknown>>(readings);
  const sql = all.map(([, each]) => each.sql).join(';\n');
  const results = [await connection.query(sql)].flat();
  const values = all.map(([name, { toValue }], i) => [name, toValue((results[i]?.rows ?? []) as never[])]);
  return Object.fromEntries(values) as Values;
}
