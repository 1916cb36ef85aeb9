import { setTimeout as sleep } from 'node:timers/promises';
import { PoolTooSmallError } from '../errors.js';
import { run, type Connection } from '../schema/connection.js';

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
  const ended = new AbortController();
  const late = sleep(PATIENCE_MS, true, { signal: ended.signal }).catch(() => false);
  const answered = run(connection, 'select').then(() => false);
  // It may be answered once nobody waits for it any longer.
  answered.catch(() => undefined);
  try {
    if (await Promise.race([answered, late])) throw new PoolTooSmallError(PATIENCE_MS);
  } finally {
    ended.abort();
  }
}
