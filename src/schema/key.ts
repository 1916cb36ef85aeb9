import type { Constraint, Index } from './model.js';

/** What a primary key or unique constraint consists of. */
export interface KeyParts {
  /** Of the index that stands behind it, as in {@link Index.definition}. */
  readonly index: string;
  /** ` DEFERRABLE INITIALLY DEFERRED`, or nothing. */
  readonly deferrable: string;
}

/** Column names as PostgreSQL prints them, without anything between or behind them. */
const PLAIN =
  /^(?:UNIQUE|PRIMARY KEY) (\((?:, |[^()" ]|"(?:[^"]|"")*")+\))( DEFERRABLE(?: INITIALLY DEFERRED)?)?$/;

/** Null for what has no plain index of its columns behind it (INCLUDE, NULLS NOT DISTINCT), or none at all. */
export function partsOfKey({ definition }: Constraint): KeyParts | null {
  const [, columns, deferrable = ''] = PLAIN.exec(definition) ?? [];
  return columns === undefined ? null : { index: `USING btree ${columns}`, deferrable };
}

/**
 * Whether ADD CONSTRAINT … USING INDEX accepts an index for a key: unique, of the same columns, with the default order,
 * operators and collation, without a predicate. Each of the others would stand in its definition.
 */
export function canStandBehind(index: Index, constraint: Constraint): boolean {
  return index.unique && index.valid && index.definition === partsOfKey(constraint)?.index;
}
