import type { FillRecord } from '../drift/fill.js';
import type { UndoRequest } from '../drift/undo-request.js';
import type { Approval } from './approval.js';

/** What stands written about findings from earlier runs, by their ids. Planning hangs on it, and nobody else. */
export interface Standing {
  /** Applied, and still wanted right after: a loop that is not to be entered again. */
  readonly notConverging: ReadonlySet<string>;
  /**
   * Processes of another release were seen lately: what would break them waits, and the rows that they insert without
   * the columns that they do not know are filled in a last sweep once they are gone.
   */
  readonly olderReleaseIsAlive: boolean;
  /** Which one, when it was seen and until when it counts as alive; for reasons. */
  readonly olderRelease: string | null;
  /** By their ids. */
  readonly fills: ReadonlyMap<string, FillRecord>;
  /** The journal has the tables of approvals and undos. */
  readonly keepsDecisions: boolean;
  /** Those that still hold, by the ids of their findings. */
  readonly approvals: ReadonlyMap<string, Approval>;
  /** Why the latest approval of a finding does not hold any more, by the ids of the findings. */
  readonly voided: ReadonlyMap<string, string>;
  /** What is still to be taken back, the latest step first. */
  readonly undos: readonly UndoRequest[];
  /** What was taken back and is not to be done again, by the names of the objects. */
  readonly pins: ReadonlyMap<string, readonly Pin[]>;
}

/** That an object was brought back to what it was. */
export interface Pin {
  /** Of the finding that had led to it; null where an older version has pinned it. */
  readonly kind: string | null;
  /** What the entities asked for by it; null where that is not known: anything. */
  readonly desired: string | null;
  /** Who wanted it so, and in which run. */
  readonly reason: string;
}

/**
 * Whether a finding asks for what was taken back, of whatever kind it is by now: an index may be missing, or INVALID. On a
 * table with rows a column's NOT NULL is a finding of its own.
 */
export function isPinnedBy(pin: Pick<Pin, 'kind' | 'desired'>, { kind, desired }: WishOf): boolean {
  if (pin.desired === null) return pin.kind === null || pin.kind === kind;
  return withoutNotNull(pin.desired) === withoutNotNull(desired ?? '');
}

interface WishOf {
  readonly kind: string;
  readonly desired: string | null;
}

function withoutNotNull(text: string): string {
  return text.replace(/ ?NOT NULL$/, '');
}

/** Of a database that no run has changed yet. */
export const NOTHING_STANDS: Standing = {
  notConverging: new Set(),
  olderReleaseIsAlive: false,
  olderRelease: null,
  fills: new Map(),
  keepsDecisions: false,
  approvals: new Map(),
  voided: new Map(),
  undos: [],
  pins: new Map(),
};
