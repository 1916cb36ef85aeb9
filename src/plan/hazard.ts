/** Why a change is not made unattended. */
export type HazardKind =
  /** Values, rows or guarantees would be gone. */
  | 'data-loss'
  /** It fails on the rows that are there. */
  | 'violated'
  /** A strong lock would be held for as long as the table is large. */
  | 'blocks'
  /** The role lacks a right. */
  | 'needs-privilege'
  /** Only somebody who knows the application can tell what is right. */
  | 'undecided'
  /** Another session is changing the same object. */
  | 'in-progress'
  /** It has been applied already, and is still wanted. */
  | 'not-converging'
  /** Processes of an older release are there that it would break; it is done once they are gone. */
  | 'older-release'
  /** Somebody has had it undone; it stays so until somebody approves it, or the entities change. */
  | 'pinned'
  /** It builds on something else that stays open. */
  | 'waits'
  /** The server has a bug that would harm. */
  | 'server-bug';

export interface Hazard {
  readonly kind: HazardKind;
  /** What exactly, and what to do. */
  readonly detail: string;
}
