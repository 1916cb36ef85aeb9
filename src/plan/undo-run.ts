import type { UndoRequest } from '../drift/undo-request.js';
import { quoteLiteral } from '../schema/identifier.js';
import { undoOf, type Undo } from './undo.js';

/** A step of a run that was applied, as the journal has it. */
export type AppliedRecord = Omit<UndoRequest, 'by'>;

/** Why a step is not taken back. Plain data. */
export interface NotUndone {
  readonly object: string;
  readonly action: string;
  readonly reason: string;
}

const NAME = '"(?:[^"]|"")+"';
const TABLE = `^ALTER TABLE ${NAME}\\.${NAME}`;
const ADD_COLUMN = new RegExp(`${TABLE} ADD COLUMN (${NAME}) `);
const CHANGE_TYPE = new RegExp(`${TABLE} ALTER COLUMN (${NAME}) TYPE `);

/** The column that a step has added; null for other steps. */
export function addedColumn({ sql }: { readonly sql: string }): string | null {
  return nameIn(ADD_COLUMN, sql);
}

/** The column that a step has given another type. */
export function changedType({ sql }: { readonly sql: string }): string | null {
  return nameIn(CHANGE_TYPE, sql);
}

export function isNewTable({ sql }: { readonly sql: string }): boolean {
  return sql.startsWith('CREATE TABLE ');
}

function nameIn(pattern: RegExp, sql: string): string | null {
  return pattern.exec(sql)?.[1]?.slice(1, -1).replaceAll('""', '"') ?? null;
}

/**
 * Tells what of a run can be taken back, the latest first, from what cannot. What belongs to a column, a table or
 * a type that the same run has made goes, or stays, with it.
 */
export function splitRun(steps: readonly AppliedRecord[]): {
  readonly undoable: AppliedRecord[];
  readonly notUndone: NotUndone[];
} {
  const wholes = steps.filter((each) => isWhole(each) || changedType(each) !== null);
  const undoable: AppliedRecord[] = [];
  const notUndone: NotUndone[] = [];
  for (const each of steps.toReversed()) {
    if (!wholes.includes(each) && wholes.some((whole) => isPartOf(each, whole))) continue;
    const undo: Undo = wholes.includes(each) ? { sql: [each.sql] } : takenBack(each);
    const { object, action } = each;
    if ('reason' in undo) notUndone.push({ object, action, reason: undo.reason });
    else if (undo.sql.length > 0) undoable.push(each);
  }
  return { undoable, notUndone };
}

function isWhole(each: AppliedRecord): boolean {
  return isNewTable(each) || addedColumn(each) !== null;
}

function isPartOf({ object, table, kind }: AppliedRecord, whole: AppliedRecord): boolean {
  if (changedType(whole) !== null)
    return object === whole.object && (kind === 'different-type' || kind === 'different-default');
  if (!isNewTable(whole)) return object === whole.object;
  const isOfTable = table?.schema === whole.table?.schema && table?.name === whole.table?.name;
  return isOfTable && kind === 'missing-table';
}

const OTHERS: readonly (readonly [RegExp, (match: RegExpExecArray, actual: string | null) => string])[] = [
  [
    /^CREATE (SCHEMA|EXTENSION) (?:IF NOT EXISTS )?("(?:[^"]|"")+")/,
    ([, what, name]) => `DROP ${what} ${name}`,
  ],
  [
    new RegExp(`^CREATE (TYPE|VIEW|MATERIALIZED VIEW) (${NAME}\\.${NAME}) AS`),
    ([, what, name]) => `DROP ${what} ${name}`,
  ],
  [
    /^(COMMENT ON (?:TABLE|COLUMN) .+?) IS (?:NULL|E?'.*')$/s,
    ([, head], actual) => `${head} IS ${actual === null ? 'NULL' : quoteLiteral(actual)}`,
  ],
];

/** What takes a step back that holds no values. A drop is refused by PostgreSQL where something builds on it. */
export function takenBack({ sql, kind, actual }: Pick<AppliedRecord, 'sql' | 'kind' | 'actual'>): Undo {
  if (kind === 'migration' || kind === 'data fix')
    return { reason: `the module does not know what a ${kind} has done; revert it by hand` };
  if (kind === 'undo')
    return { reason: 'it has undone something; approve what it has left open, to have that again' };
  if (
    / DROP (?:COLUMN|CONSTRAINT (?!IF EXISTS))|^DROP (?:TABLE|VIEW|MATERIALIZED|INDEX)/.test(sql) &&
    kind.startsWith('extra-')
  )
    return { reason: 'what was dropped is gone' };
  // Replaced: its new version can be dropped, but nobody knows the old one.
  const isMade = kind.startsWith('missing-') || kind.endsWith('-comment');
  for (const [pattern, undo] of isMade ? OTHERS : []) {
    const match = pattern.exec(sql);
    if (match) return { sql: [undo(match, actual)] };
  }
  return undoOf({ sql }, { actual });
}
