import type { FillRecord } from '../drift/fill.js';
import type { UndoRequest } from '../drift/undo-request.js';
import type { Approval } from './approval.js';
import type { Pin } from './pins.js';

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
  /** What was taken back and is not to be done again. */
  readonly pins: readonly Pin[];
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
  pins: [],
};
