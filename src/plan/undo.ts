import { NAME } from './applied-step.js';

/** What takes a step back: statements (none where nothing of it is left to take back), or why there are none. */
export type Undo = { readonly sql: readonly string[] } | { readonly reason: string };

const QUALIFIED = `${NAME}\\.${NAME}`;

interface Rule {
  readonly step: RegExp;
  /** With the groups of the step's statement, and the text that the database had before. */
  readonly undo: (groups: readonly string[], actual: string | null) => Undo;
}

const undoneBy = (sql: string): Undo => ({ sql: [sql] });
const NOTHING: Undo = { sql: [] };

/** The statements are our own, so their forms are known. The first rule that fits counts. */
const RULES: readonly Rule[] = [
  {
    step: new RegExp(`^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(${NAME}) ON (${NAME})\\.`),
    undo: ([how = '', index, schema]) => undoneBy(`DROP INDEX ${how}IF EXISTS ${schema}.${index}`),
  },
  // The temporary check of a NOT NULL is gone by then.
  { step: /^ALTER TABLE .* ADD CONSTRAINT "auto_migration_not_null_/s, undo: () => NOTHING },
  {
    step: new RegExp(`^ALTER TABLE (${QUALIFIED}) ADD CONSTRAINT (${NAME}) `),
    undo: ([table, constraint]) => undoneBy(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${constraint}`),
  },
  // They go with the constraint that they validate, or have gone already.
  { step: /^ALTER TABLE .* VALIDATE CONSTRAINT /s, undo: () => NOTHING },
  { step: /^ALTER TABLE .* DROP CONSTRAINT IF EXISTS "auto_migration_not_null_/s, undo: () => NOTHING },
  {
    step: new RegExp(`^ALTER TABLE (${QUALIFIED}) ALTER COLUMN (${NAME}) SET NOT NULL$`),
    undo: ([table, column]) => undoneBy(`ALTER TABLE ${table} ALTER COLUMN ${column} DROP NOT NULL`),
  },
  {
    step: new RegExp(`^ALTER TABLE (${QUALIFIED}) ALTER COLUMN (${NAME}) (?:SET|DROP) DEFAULT`),
    undo: ([table, column], actual) => {
      const before = actual === null || actual === 'none' ? 'DROP DEFAULT' : `SET DEFAULT ${actual}`;
      return undoneBy(`ALTER TABLE ${table} ALTER COLUMN ${column} ${before}`);
    },
  },
  {
    step: new RegExp(`^(ALTER TABLE ${QUALIFIED} RENAME (?:COLUMN|CONSTRAINT)) (${NAME}) TO (${NAME})$`),
    undo: ([head, from, to]) => undoneBy(`${head} ${to} TO ${from}`),
  },
  {
    step: new RegExp(`^(ALTER (?:TABLE|INDEX|TYPE)) (${NAME})\\.(${NAME}) RENAME TO (${NAME})$`),
    undo: ([head, schema, from, to]) => undoneBy(`${head} ${schema}.${to} RENAME TO ${from}`),
  },
];

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^ALTER TABLE .* ADD COLUMN /s, 'the values of the column would be lost'],
  [/^UPDATE /, 'what it filled in is not told from what was written since'],
  [/^CREATE TABLE /, 'the rows of the table would be lost'],
  [/^ALTER INDEX .* ATTACH PARTITION /s, 'PostgreSQL takes no index away from that of the parent'],
  [/^ALTER TYPE .* ADD VALUE /s, 'PostgreSQL takes no value of an enum away'],
  [/^ALTER TABLE .* TYPE /s, 'values may have come that the old type cannot hold'],
  [/^ALTER TABLE .* DROP NOT NULL$/s, 'rows may have come that are NULL'],
];

/** Takes back only what loses no value that somebody has written since. */
export function undoOf(
  { sql }: { readonly sql: string },
  { actual }: { readonly actual: string | null },
): Undo {
  for (const { step, undo } of RULES) {
    const match = step.exec(sql);
    if (match) return undo(match.slice(1), actual);
  }
  const [, reason = 'what it replaced is not known'] = REASONS.find(([step]) => step.test(sql)) ?? [];
  return { reason };
}
