import { SqlState, sqlStateOf } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { setWording } from '../schema/wording.js';
import { runSteps, StepFailure, type StepEnd, type StepInUnit } from './steps.js';
import { heeding } from './stopping.js';

/**
 * Runs a unit of one statement outside any transaction. A concurrent build waits for older snapshots all over the
 * database: a short timeout would only leave a carcass.
 */
export async function runAlone(
  connection: Connection,
  steps: readonly StepInUnit[],
  signal: AbortSignal,
  onStep: (position: number) => void,
): Promise<StepEnd[]> {
  // What is set on a session behind a pooler would be set on somebody else's.
  if (!connection.isPooled) await run(connection, `set lock_timeout = 0; ${setWording('session')}`);
  const before = await invalidIndexes(connection);
  try {
    return await runSteps(heeding(connection, signal), steps, onStep);
  } catch (error) {
    const cleanup = steps[0]?.unit.cleanup ?? null;
    // Where this fails too, the carcass is drift at the next look.
    if (cleanup !== null) await cleanUp(connection, cleanup, before, error).catch(() => undefined);
    throw error;
  }
}

/** Only a carcass of our own is taken away: an index that bore the name before is somebody's. */
async function cleanUp(
  connection: Connection,
  sql: string,
  before: ReadonlySet<string>,
  error: unknown,
): Promise<void> {
  if (error instanceof StepFailure && sqlStateOf(error.cause) === SqlState.duplicateTable) return;
  const after = await invalidIndexes(connection);
  if ([...after].some((oid) => !before.has(oid))) await run(connection, sql);
}

async function invalidIndexes(connection: Connection): Promise<Set<string>> {
  const sql = 'select indexrelid::text as oid from pg_catalog.pg_index where not indisvalid';
  return new Set((await queryRows<{ oid: string }>(connection, sql)).map(({ oid }) => oid));
}
