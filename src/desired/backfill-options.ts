import { z } from 'zod';
import type { Backfill } from '../schema/model.js';

/** Which rows are filled, and how fast. */
export interface BackfillOptions {
  /**
   * SQL: only rows for which it is true.
   * @default all rows that have NULL
   */
  where?: string;
  /**
   * How many rows one batch has at most, 1 to 100000. Smaller batches take less time each, and longer in all.
   * @default as many as take a tenth of a second, or a fortieth while others use the database
   */
  batchSize?: number;
  /**
   * Between two batches, in milliseconds, 0 to 60000.
   * @default 10 while others use the database, else none
   */
  pauseMs?: number;
  /**
   * `'once'`: until all rows have been met; what the application sets to NULL later stays so. `'every-run'`: whenever
   * a look finds rows with NULL.
   * @default 'once'
   */
  repeat?: 'once' | 'every-run';
}

/** A backfill for a table whose entity cannot be decorated: an EntitySchema, somebody else's class, no entity at all. */
export interface BackfillDeclaration extends BackfillOptions {
  /** `public.staff`, or `staff` for the data source's schema. */
  table: string;
  /** Its name in the database. */
  column: string;
  /** SQL over the row's own columns, sub-selects included: `split_part(username, '.', 1)`. */
  expression: string;
}

const sql = z.string('is not a text').refine((text) => text.trim() !== '', 'is empty');

const shape = {
  expression: sql,
  where: sql.optional(),
  batchSize: z.int('is not a whole number').min(1, 'is below 1').max(100_000, 'is above 100000').optional(),
  pauseMs: z
    .int('is not a whole number of milliseconds')
    .min(0, 'is below 0 ms')
    .max(60_000, 'is above 60000 ms')
    .optional(),
  repeat: z.enum(['once', 'every-run'], "is neither 'once' nor 'every-run'").optional(),
};

/** What `@Backfill` is given. */
export const BackfillShape = z.strictObject(shape, 'is no object of options');

/** One of the option `backfills`. */
export const BackfillDeclarationShape = z.strictObject(
  { table: sql, column: sql, ...shape },
  'is no object of options',
);

/** With every default filled in. */
export function toBackfill({
  expression,
  where,
  batchSize,
  pauseMs,
  repeat,
}: BackfillOptions & { readonly expression: string }): Backfill {
  return {
    expression,
    where: where ?? null,
    batchSize: batchSize ?? null,
    pauseMs: pauseMs ?? null,
    repeat: repeat ?? 'once',
  };
}
