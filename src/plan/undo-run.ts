import type { LaterRun, UndoRequest } from '../drift/undo-request.js';
import { isSameName, quoteLiteral } from '../schema/identifier.js';
import { addedColumn, builtIndex, changedType, isNewTable, NAME, takenIndex } from './applied-step.js';
import { undoOf, type Undo } from './undo.js';

/** A step of a run that was applied, as the journal has it. */
export interface AppliedRecord extends Omit<UndoRequest, 'by' | 'refusal'> {
  /** A run has taken it back: what is there under its name by now is something else. */
  readonly isUndone: boolean;
}

/** Why a step is not taken back. Plain data. */
export interface NotUndone {
  readonly object: string;
  readonly action: string;
  readonly reason: string;
}

/** Tells what of a run can be taken back, the latest first, from what cannot. */
export function splitRun(steps: readonly AppliedRecord[]): {
  readonly undoable: AppliedRecord[];
  readonly notUndone: NotUndone[];
} {
  // What that loses is counted later, and asked.
  const all = judgeSteps(steps, ({ sql }) => ({ sql: [sql] }));
  const judged = all.filter(({ each }) => !isTaken(each, steps));
  return {
    undoable: judged.flatMap(({ each, undo }) => ('sql' in undo && undo.sql.length > 0 ? [each] : [])),
    notUndone: judged.flatMap(({ each: { object, action }, undo }) =>
      'reason' in undo ? [{ object, action, reason: undo.reason }] : [],
    ),
  };
}

/** What is told of a step to judge how it is taken back. */
export type DoneStep = Pick<
  AppliedRecord,
  'sql' | 'object' | 'table' | 'kind' | 'actual' | 'begunBy' | 'changedBy'
>;

/**
 * How steps are taken back, the latest first. What belongs to a column, a table or a type that they have made goes, or
 * stays, with it; what was done about one finding is taken back whole or not at all, or the new check would go and the old
 * one not come.
 *
 * @param ofWhole how a column, a table or a type is taken back
 */
export function judgeSteps<Done extends DoneStep>(
  steps: readonly Done[],
  ofWhole: (whole: Done) => Undo,
): { readonly each: Done; readonly undo: Undo }[] {
  const wholes = steps.filter((each) => isWhole(each) || changedType(each) !== null);
  const own = steps.filter((each) => wholes.includes(each) || !wholes.some((whole) => isPartOf(each, whole)));
  const judged = own.toReversed().map((each) => {
    const undo = whyKept(steps, each) ?? (wholes.includes(each) ? ofWhole(each) : takenBack(each));
    return { each, undo };
  });
  const kept = new Set(judged.flatMap(({ each, undo }) => ('reason' in undo ? [findingOf(each)] : [])));
  const keptKeys = judged.flatMap(({ each }) =>
    kept.has(findingOf(each)) && each.sql.includes(' PRIMARY KEY ') ? [each] : [],
  );
  return judged.map(({ each, undo }) => {
    if ('reason' in undo || !undo.sql.length) return { each, undo };
    if (kept.has(findingOf(each))) return { each, undo: { sql: [] } };
    const isOfKey = each.sql.endsWith(' SET NOT NULL') && keptKeys.some((key) => isSameTable(key, each));
    return { each, undo: isOfKey ? { reason: 'the primary key, which stays, needs it' } : undo };
  });
}

/** An index goes with the key that has taken it. */
function isTaken(each: DoneStep, steps: readonly DoneStep[]): boolean {
  const index = builtIndex(each);
  return (
    index !== null && steps.some((other) => takenIndex(other) === index.name && isSameTable(other, each))
  );
}

function findingOf({ kind, object }: DoneStep): string {
  return `${kind} ${object}`;
}

function whyKept(steps: readonly DoneStep[], each: DoneStep): Undo | null {
  // TypeORM keeps its notes there, and makes it anew.
  if (isNewTable(each) && steps.some((other) => other.kind === 'missing-note' && isSameTable(other, each)))
    return { sql: [] };
  if (each.changedBy !== null) return { reason: whyChangedSince(each.changedBy) };
  const taken = takenIndex(each);
  const own = [...steps, ...(each.begunBy ?? []).map((sql) => ({ sql }))];
  if (taken !== null && !own.some((other) => builtIndex(other)?.name === taken))
    return { reason: 'it has taken an index that was there, which would go with it' };
  return null;
}

function whyChangedSince({ runId, steps }: LaterRun): string {
  const lasting = steps
    .filter((each) => !isWhole(each) && changedType(each) === null)
    .flatMap((each) => {
      const undo = takenBack(each);
      return 'reason' in undo ? [undo.reason] : [];
    });
  const [why] = lasting;
  return why === undefined
    ? `run ${runId} has changed it since; take that back first`
    : `run ${runId} has changed it since, and that cannot be taken back: ${why}`;
}

/** Whether a step has made a table or a column, with all that belongs to it. */
export function isWhole(each: Pick<DoneStep, 'sql' | 'kind'>): boolean {
  return (isNewTable(each) && each.kind === 'missing-table') || addedColumn(each) !== null;
}

/** A type goes back with the default that the column had. */
export const KINDS_OF_TYPE: readonly string[] = ['different-type', 'different-default'];

function isPartOf({ object, table, kind }: DoneStep, whole: DoneStep): boolean {
  if (changedType(whole) !== null) return object === whole.object && KINDS_OF_TYPE.includes(kind);
  // A constraint may be called as a column is.
  if (!isNewTable(whole)) return object === whole.object && !kind.endsWith('-constraint');
  return kind === 'missing-table' && isSameTable({ table }, whole);
}

function isSameTable({ table }: Pick<DoneStep, 'table'>, { table: other }: Pick<DoneStep, 'table'>): boolean {
  return table !== null && other !== null && isSameName(table, other);
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
  // TypeORM reads none of what is not there, and a later one replaces it.
  if (kind === 'missing-note') return { sql: [] };
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
