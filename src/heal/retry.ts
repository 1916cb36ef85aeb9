import pRetry from 'p-retry';
import { SqlState, sqlStateOf } from '../errors.js';

/** Lock conflicts pass; everything else would fail again. */
export function retryLockConflicts<Value>(
  task: () => Promise<Value>,
  retries: number,
  signal: AbortSignal,
): Promise<Value> {
  return pRetry(task, {
    retries,
    minTimeout: 100,
    maxTimeout: 2000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => {
      const state = sqlStateOf(error.cause);
      return state === SqlState.lockNotAvailable || state === SqlState.deadlockDetected;
    },
  });
}
