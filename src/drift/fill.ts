import { createHash } from 'node:crypto';
import type { Backfill, QualifiedName } from '../schema/model.js';

/** What gives rows a value that have NULL in a column: a declared backfill, or the default of a column added later. */
export interface Fill extends Omit<Backfill, 'expression'> {
  readonly table: QualifiedName;
  readonly column: string;
  /** Null for the column's own default. */
  readonly expression: string | null;
}

/** pending: rows may be left. swept: all were met while an older release could still insert more. done: that is all. */
export type FillState = 'pending' | 'swept' | 'done';

/** What earlier runs have written down about a fill. */
export interface FillRecord {
  readonly id: string;
  readonly table: QualifiedName;
  readonly column: string;
  readonly expression: string | null;
  readonly where: string | null;
  readonly state: FillState;
  /** Rows that PostgreSQL refused to give their value. */
  readonly failed: number;
  /** Of up to ten of them, as one would write their keys. */
  readonly sampleKeys: readonly string[];
  readonly error: string | null;
  /** It ended so short a time ago that it is not tried again yet. */
  readonly isRecent: boolean;
}

/** Rows were refused a short time ago: they would be again. */
export function isRefused({ failed, isRecent }: FillRecord): boolean {
  return failed > 0 && isRecent;
}

/** Names a fill over all runs: the same column, expression and rows. How fast it goes does not count. */
export function fillId({
  table,
  column,
  expression,
  where,
}: Omit<Fill, 'batchSize' | 'pauseMs' | 'repeat'>): string {
  const facts = JSON.stringify([table.schema, table.name, column, expression, where]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}

export function declaredFill({ schema, name }: QualifiedName, column: string, backfill: Backfill): Fill {
  return { ...backfill, table: { schema, name }, column };
}

/** For rows that were there before a column with a default of its own for each row. */
export function defaultFill({ schema, name }: QualifiedName, column: string): Fill {
  return {
    table: { schema, name },
    column,
    expression: null,
    where: null,
    batchSize: null,
    pauseMs: null,
    repeat: 'once',
  };
}

/** A part of the application's SQL, so that nothing of it reaches what follows. */
export function enclosed(sql: string): string {
  return sql.includes('--') ? `(${sql}\n)` : `(${sql})`;
}

type Chosen = Pick<Fill, 'where'>;

/**
 * Whether PostgreSQL is to plan a condition as a join: within a CASE it would read the sub-select once more for each row.
 */
export function isJoined({ where }: Chosen): boolean {
  return where !== null && /\bselect\b/i.test(where);
}

/** The rows that it is for, as a condition on the table. */
export function conditionOf(fill: Chosen, column: string): string {
  const isNull = `${column} IS NULL`;
  if (fill.where === null) return isNull;
  return `${isNull} AND ${isJoined(fill) ? enclosed(fill.where) : guarded(isNull, enclosed(fill.where))}`;
}

/**
 * The rows that it has a value for. PostgreSQL evaluates what AND connects in any order, and so an application's SQL for rows
 * that it is not meant for and that it may fail for; what stands in a CASE it does not.
 * https://www.postgresql.org/docs/current/sql-expressions.html#SYNTAX-EXPRESS-EVAL
 *
 * @param within a condition on the rows that are looked at at all
 */
export function hasValue(
  { expression, ...fill }: Chosen & Pick<Fill, 'expression'>,
  column: string,
  within?: string,
): string {
  const isNull = `${column} IS NULL`;
  const first = within === undefined ? isNull : `${within} AND ${isNull}`;
  const where = fill.where === null ? [] : [enclosed(fill.where)];
  const value = expression === null ? [] : [`${enclosed(expression)} IS NOT NULL`];
  const joined = isJoined(fill);
  const parts = joined ? value : [...where, ...value];
  const plain = [isNull, ...(joined ? where : [])];
  return [...plain, ...(parts.length === 0 ? [] : [guarded(first, ...parts)])].join(' AND ');
}

/** Each is asked only where the one before holds. */
function guarded(first: string, ...further: readonly string[]): string {
  const [next, ...rest] = further;
  return next === undefined ? first : `CASE WHEN ${first} THEN ${guarded(next, ...rest)} END`;
}
