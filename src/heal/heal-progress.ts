/** A session that holds what a step waits for. */
export interface Blocker {
  readonly pid: number;
  readonly applicationName: string;
  /** `idle in transaction` */
  readonly state: string;
  /** Since when its transaction is open; ISO 8601. */
  readonly since: string | null;
  /** Its latest statement; may hold the application's data, so it is for details only. */
  readonly query: string;
}

/** Where a healing is. Plain data. */
export interface HealProgress {
  /** The step that runs, from 1. */
  readonly step: number;
  /** How many steps the plan has. */
  readonly of: number;
  readonly object: string;
  /** `create index` */
  readonly action: string;
  /** What the server says it is at: `building index: scanning table`; null where it says nothing. */
  readonly phase: string | null;
  /** Of this step, 0 to 100; null where nobody knows. */
  readonly percent: number | null;
  /** How long this step may still take, in milliseconds; null where nobody knows. */
  readonly remainingMs: number | null;
  /** Who has what the step waits for. */
  readonly blockedBy: readonly Blocker[];
}

/** For messages and logs: who it is, without what it runs. */
export function describeBlocker({ pid, applicationName, state, since }: Blocker): string {
  return `pid ${pid} (${applicationName || 'no application name'}, ${state}${since === null ? '' : ` since ${since}`})`;
}
