/** What stands written about findings from earlier runs, by their ids. Planning hangs on it, and nobody else. */
export interface Standing {
  /** Applied, and still wanted right after: a loop that is not to be entered again. */
  readonly notConverging: ReadonlySet<string>;
}

/** Of a database that no run has changed yet. */
export const NOTHING_STANDS: Standing = { notConverging: new Set() };
