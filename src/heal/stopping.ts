import { setTimeout as sleep } from 'node:timers/promises';
import { HealingStoppedError, SqlState, sqlStateOf } from '../errors.js';
import type { Connection } from '../schema/connection.js';

/** How long a cancelled statement may take to end before it is cancelled once more. */
const AGAIN_MS = 500;

/** For messages: why a signal has aborted. */
export function whyStopped({ reason }: AbortSignal): string {
  return reason instanceof HealingStoppedError ? reason.message : 'it was asked to';
}

/** @throws HealingStoppedError once the signal has aborted */
export function assertGoingOn(signal: AbortSignal): void {
  if (signal.aborted) throw stopped(signal);
}

function stopped(signal: AbortSignal): HealingStoppedError {
  return new HealingStoppedError(`Stopped: ${whyStopped(signal)}; the next run goes on`);
}

/**
 * A session that heeds a signal: once it has aborted no statement is begun, and the one that is running is cancelled,
 * again until it has ended. What tidies up (a rollback, a record) is for the session itself.
 */
export function heeding(connection: Connection, signal: AbortSignal): Connection {
  const query = async (text: string, values?: readonly unknown[]): Promise<unknown> => {
    assertGoingOn(signal);
    const answer = values ? connection.query(text, values) : connection.query(text);
    const ended = new AbortController();
    const cancelling = cancelWhenAborted(connection, signal, ended.signal);
    try {
      return await answer;
    } catch (error) {
      throw signal.aborted && sqlStateOf(error) === SqlState.queryCanceled ? stopped(signal) : error;
    } finally {
      ended.abort();
      // A request that is under way must not meet the next statement.
      await cancelling();
    }
  };
  return { ...connection, query: query as Connection['query'] };
}

/** @returns what settles when nothing is being cancelled any more */
function cancelWhenAborted(
  connection: Connection,
  signal: AbortSignal,
  ended: AbortSignal,
): () => Promise<void> {
  let cancelling = Promise.resolve();
  const cancel = async (): Promise<void> => {
    while (!ended.aborted) {
      await connection.cancel().catch(() => undefined);
      await sleep(AGAIN_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  };
  const onAbort = (): void => void (cancelling = cancel());
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    return cancelling;
  };
}

/** Waits for a task, unless the signal aborts; what the task brings then is given to `discard`. */
export function unlessStopped<Value>(
  task: Promise<Value>,
  signal: AbortSignal,
  discard: (value: Value) => unknown = () => undefined,
): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const onAbort = (): void => {
      reject(stopped(signal));
      task.then(discard).catch(() => undefined);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    task.finally(settle).then(resolve, reject);
  });
}
