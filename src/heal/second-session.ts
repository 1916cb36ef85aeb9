import { PoolTooSmallError } from '../errors.js';
import { run, type Connection } from '../schema/connection.js';
import { within } from '../within.js';

/** Everybody else who needs the pooler's connections waits meanwhile, too. */
const PATIENCE_MS = 5000;

/**
 * Behind a pooler the lock's open transaction occupies one of its connections to the server for the whole healing, and
 * the work needs another. Where the pool has only one, each of our statements would wait for ever.
 *
 * @throws PoolTooSmallError when there is none to be had
 */
export async function assertSecondSession(connection: Connection): Promise<void> {
  if (!connection.isPooled) return;
  const answered = run(connection, 'select').then(() => true);
  if ((await within(PATIENCE_MS, answered)) === undefined) throw new PoolTooSmallError(PATIENCE_MS);
}
