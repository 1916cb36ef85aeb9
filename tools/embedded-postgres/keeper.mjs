// Runs as a process of its own between the process that wants a server and the server. The channel to its
// parent breaks however the parent ends, kill -9 included; then the server is shut down. It is in a session of
// its own, so that Ctrl-C reaches the app alone and the app can still use its database while it shuts down.
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';

const GRACE_MS = 10_000;

/** @import { KeeperOrder } from './embedded-postgres.mjs' */

const order = /** @type {KeeperOrder} */ (JSON.parse(process.argv[2] ?? ''));

const server = spawn(order.command, order.arguments, {
  ...order.account,
  cwd: order.directory,
  stdio: ['ignore', 'inherit', 'inherit'],
});
server.on('error', (error) => console.error(error.message));
server.on('close', () => void end());

process.on('disconnect', shutDown);
process.on('SIGTERM', shutDown);
process.on('SIGINT', shutDown);
let wanted = true;
if (!process.connected) shutDown();

function shutDown() {
  wanted = false;
  // To PostgreSQL SIGINT means: end the sessions, write a checkpoint, exit; SIGQUIT: exit now, recover at the next start.
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGQUIT'), GRACE_MS).unref();
}

async function end() {
  // Where the server failed, our parent still reads its log.
  if (order.remove && !wanted) await rm(order.remove, { recursive: true, force: true });
  process.exit();
}
