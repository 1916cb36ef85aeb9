import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * @import { ChildProcess } from 'node:child_process'
 * @import { Window } from './recorder.mjs'
 * @import { RequestKind } from './requests.mjs'
 */

/**
 * @typedef {object} TrafficOrder
 * @property {string} url
 * @property {number} rows of the table
 * @property {number} connections
 * @property {readonly RequestKind[]} kinds
 * @property {string} applicationName
 */

/** By this name its sessions are known to the server. */
export const TRAFFIC = 'bench traffic';

const PROCESS = fileURLToPath(new URL('traffic-process.mjs', import.meta.url));

/**
 * An application that uses its tables as fast as it is answered.
 * @param {Omit<TrafficOrder, 'applicationName'>} order
 * @param {number} warmUpMs how long it has been doing so before it is watched
 */
export async function startTraffic(order, warmUpMs) {
  const child = fork(PROCESS, [JSON.stringify({ ...order, applicationName: TRAFFIC })]);
  const ended = once(child, 'exit');
  await answerOf(child);
  await wait(warmUpMs);
  return {
    /**
     * How its requests fare while a task is carried out; those that wait at its end are waited for.
     * @template Result
     * @param {() => Promise<Result>} task
     * @returns {Promise<{ result: Result, window: Window }>}
     */
    async watch(task) {
      child.send('begin');
      const result = await task();
      const answer = answerOf(child);
      child.send('end');
      return { result, window: /** @type {Window} */ (await answer) };
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/**
 * @param {ChildProcess} child
 * @returns {Promise<unknown>}
 */
function answerOf(child) {
  return new Promise((resolve, reject) => {
    const onExit = (/** @type {number | null} */ code) =>
      reject(new Error(`The process that makes the load ended with ${code}.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
