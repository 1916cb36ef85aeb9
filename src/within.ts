import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a task, but no longer than so many milliseconds; undefined when it took longer. What it then throws is nobody's. */
export async function within<Value>(milliseconds: number, task: Promise<Value>): Promise<Value | undefined> {
  const ended = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => undefined);
  try {
    return await Promise.race([task, late]);
  } finally {
    ended.abort();
  }
}
