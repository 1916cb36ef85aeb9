import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * @typedef {object} LinkOrder
 * @property {string} host
 * @property {number} port
 * @property {number} delayMs from a question to its answer, beside what the server needs
 * @property {SharedArrayBuffer} counter
 */

/**
 * A slow link to a server, as between two regions.
 * @param {string} url
 * @param {number} delayMs
 */
export async function startLink(url, delayMs) {
  const target = new URL(url);
  const counter = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const roundTrips = new Int32Array(counter);
  /** @type {LinkOrder} */
  const workerData = { host: target.hostname, port: Number(target.port || 5432), delayMs, counter };
  const worker = new Worker(new URL('link-worker.mjs', import.meta.url), { workerData });
  const [port] = /** @type {[number]} */ (await once(worker, 'message'));
  target.host = `127.0.0.1:${port}`;
  return {
    url: target.href,
    /** How often a client spoke after it had been answered, log-ins included, TCP's own handshakes not. */
    countRoundTrips: () => Atomics.load(roundTrips, 0),
    close: async () => {
      await worker.terminate();
    },
  };
}
