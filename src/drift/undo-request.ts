import type { QualifiedName } from '../schema/model.js';

/** What a later run has done to the same. */
export interface LaterRun {
  readonly runId: string;
  readonly steps: readonly Pick<UndoRequest, 'sql' | 'kind' | 'actual'>[];
}

/** Somebody's wish to have a step of a run taken back. */
export interface UndoRequest {
  /** Of the journal, as are the others. */
  readonly stepId: string;
  readonly runId: string;
  /** Who wants it. */
  readonly by: string;
  /** `add column` */
  readonly action: string;
  readonly sql: string;
  readonly object: string;
  readonly table: QualifiedName | null;
  /** Of the finding that the step was for. */
  readonly kind: string;
  /** What the run has made, in PostgreSQL's words; null where the finding wanted nothing, or the journal does not know. */
  readonly desired: string | null;
  /** What the database had before, in PostgreSQL's words. */
  readonly actual: string | null;
  /** Of a column that got another type. */
  readonly formerDefault: string | null;
  /**
   * Of what others may have built on: what has made what had been missing on its table. Of a type: all that was done to its
   * column, in order. Else null.
   */
  readonly madeWith: readonly Pick<UndoRequest, 'sql' | 'kind' | 'object' | 'desired'>[] | null;
  /** Of a key that was made of an index: the statements of runs before that had begun with it; else null. */
  readonly begunBy: readonly string[] | null;
  /** The first later run that has changed the same and was not taken back; null where there is none. */
  readonly changedBy: LaterRun | null;
  /** What PostgreSQL has said when it was tried; null where it was not. */
  readonly refusal: string | null;
}

/** A request in its place among others. */
export interface OrderedUndo {
  readonly request: UndoRequest;
  /** Of a type: what the column is by now, with its default; else null. */
  readonly made: string | null;
  /** What has to be taken back before it, or keeps it where that stays. */
  readonly needs: readonly UndoRequest[];
}

/** What of runs is still to be taken back, as differences, in the order in which it is. */
export function compareUndos(ordered: readonly OrderedUndo[]): (OrderedUndo & {
  readonly kind: 'undo';
  readonly object: string;
  readonly table: QualifiedName | null;
  readonly desired: string;
  readonly actual: string;
  readonly siblings: readonly UndoRequest[];
  readonly later: readonly UndoRequest[];
})[] {
  const runs = new Map<string, UndoRequest[]>();
  const places = ordered.map(({ request }) => {
    const run = runs.get(request.runId) ?? [];
    runs.set(request.runId, run);
    return run.push(request) - 1;
  });
  return ordered.map(({ request, made, needs }, i) => {
    const { object, table, runId, action } = request;
    const [run, place] = [runs.get(runId) ?? [], places[i] ?? 0];
    return {
      kind: 'undo',
      object,
      table,
      desired: `as before run ${runId}`,
      actual: action,
      request,
      made,
      needs,
      siblings: run.toSpliced(place, 1),
      later: run.slice(place + 1),
    };
  });
}
