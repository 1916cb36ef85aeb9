import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { collectGarbage } from '../measure.mjs';

/**
 * What a piece of work does to the process that it runs in.
 * @typedef {object} Footprint
 * @property {string} work
 * @property {number} ms
 * @property {number} rssAboveIdleMb at its peak
 * @property {number} heapKeptMb above idle, when the garbage is collected
 * @property {number} longestStallMs of the event loop at a stretch, a bound from above
 */

const MEGABYTE = 1024 * 1024;

/** Sees what this process needs from now on: what it has now is called idle. */
export async function watchProcess() {
  const peak = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  const peakBytes = new Float64Array(peak);
  const sampler = new Worker(new URL('memory-sampler.mjs', import.meta.url), { workerData: peak });
  await once(sampler, 'online');
  await settle();
  const idle = process.memoryUsage();
  return {
    /**
     * @param {string} work
     * @param {() => Promise<void>} task
     * @returns {Promise<Footprint>}
     */
    async watch(work, task) {
      const loop = monitorEventLoopDelay({ resolution: 1 });
      peakBytes[0] = process.memoryUsage.rss();
      loop.enable();
      const start = performance.now();
      await task();
      const ms = performance.now() - start;
      // The delay of a turn of the loop is known in the next one.
      await wait(20);
      loop.disable();
      const peakRss = Math.max(peakBytes[0], process.memoryUsage.rss());
      await settle();
      return {
        work,
        ms,
        rssAboveIdleMb: (peakRss - idle.rss) / MEGABYTE,
        heapKeptMb: (process.memoryUsage().heapUsed - idle.heapUsed) / MEGABYTE,
        longestStallMs: loop.max / 1e6,
      };
    },
    async close() {
      await sampler.terminate();
    },
  };
}

/** V8 gives freed pages back in the background. */
async function settle() {
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await wait(100);
  }
}
