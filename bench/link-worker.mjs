// In a thread of its own, so that what is measured does not hold up the link.
import { connect, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * @import { AddressInfo, Socket } from 'node:net'
 * @import { LinkOrder } from './link.mjs'
 */

const { host, port, delayMs, counter } = /** @type {LinkOrder} */ (workerData);
const roundTrips = new Int32Array(counter);

const server = createServer((client) => {
  const upstream = connect(port, host);
  client.setNoDelay();
  upstream.setNoDelay();
  let isAsking = false;
  client.on('data', () => {
    if (!isAsking) Atomics.add(roundTrips, 0, 1);
    isAsking = true;
  });
  upstream.on('data', () => (isAsking = false));
  forward(client, upstream);
  forward(upstream, client);
});

/**
 * Half of the delay on each way. Timers of equal length fire in their order.
 * @param {Socket} from
 * @param {Socket} to
 */
function forward(from, to) {
  from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), delayMs / 2));
  from.on('close', () => setTimeout(() => to.destroy(), delayMs / 2));
  from.on('error', () => to.destroy());
}

server.listen(0, '127.0.0.1', () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
  parentPort?.postMessage(/** @type {AddressInfo} */ (server.address()).port);
});
