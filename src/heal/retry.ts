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
    shouldRetry: ({ error }) => isLockConflict(error.cause),
  });
}

/** Whether somebody had what was wanted, and kept it. */
export function isLockConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === SqlState.lockNotAvailable || state === SqlState.deadlockDetected;
}
