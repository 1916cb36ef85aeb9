// The application in a process of its own, so that whoever heals does not hold up what is measured. Each connection asks
// one request after the other. It says "ready" when all of them have been answered; told "begin" it counts, told "end" it answers with what it counted; it ends when its parent
// does, or lets go of it.
import pg from 'pg';
import { Recorder } from './recorder.mjs';
import { nextRequest } from './requests.mjs';

/** @import { TrafficOrder } from './traffic.mjs' */

const order = /** @type {TrafficOrder} */ (JSON.parse(process.argv[2] ?? ''));

const over = new AbortController();
/** @type {Set<Promise<void>>} */
const underWay = new Set();
let recorder = new Recorder();

const pool = new pg.Pool({
  connectionString: order.url,
  max: order.connections,
  application_name: order.applicationName,
});
// A connection that breaks while nobody uses it is no request that fails; the pool opens another.
pool.on('error', () => undefined);

process.on('message', (message) => void (message === 'begin' ? begin() : end()));
process.on('disconnect', () => void stop());

await Promise.all(Array.from({ length: order.connections }, () => send()));
const connections = Array.from({ length: order.connections }, () => ask());
process.send?.('ready');

async function ask() {
  while (!over.signal.aborted) {
    const request = send();
    underWay.add(request);
    await request;
    underWay.delete(request);
  }
}

async function send() {
  const { kind, text, values } = nextRequest(order.kinds);
  // It counts where it was sent, however long it takes.
  const counting = recorder;
  const sent = performance.now();
  try {
    await pool.query(text, values(order.rows));
    counting.record(kind, sent);
  } catch (error) {
    counting.record(kind, sent, error instanceof Error ? error.message : 'unknown');
  }
}

function begin() {
  recorder = new Recorder();
}

async function end() {
  const [counted, now] = [recorder, performance.now()];
  begin();
  await Promise.all(underWay);
  process.send?.(counted.toWindow(now));
}

async function stop() {
  over.abort();
  await Promise.all(connections);
  await pool.end();
}
