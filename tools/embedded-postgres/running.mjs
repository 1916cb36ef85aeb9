import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { clusterPaths, missing, serverUrl } from './cluster.mjs';

const PATIENCE_MS = 30_000;

/**
 * The URL of the server that runs on the data in `place`. One that is just starting or stopping is waited for.
 * What a server that was killed left behind is removed where PostgreSQL would take it for a running one.
 * @param {string} place
 * @returns {Promise<string | undefined>}
 */
export async function runningServer(place) {
  const pidFile = join(clusterPaths(place).data, 'postmaster.pid');
  for (const end = Date.now() + PATIENCE_MS; ; await wait(100)) {
    const lines = (await readFile(pidFile, 'utf8').catch(missing))?.split('\n');
    if (!lines) return undefined;
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    const url = port ? await serverUrl(place, port) : undefined;
    if (url && (await answers(url))) return url;
    if (pid && !isPostgres(pid)) {
      // Its number may belong to another process by now, as is usual in containers; PostgreSQL would refuse to start.
      await rm(pidFile, { force: true });
      return undefined;
    }
    if (Date.now() > end)
      throw new Error(`Process ${pid} holds ${pidFile}, but does not answer on port ${port}.`);
  }
}

/**
 * That the password is taken proves that it is our server.
 * @param {string} url
 */
export async function answers(url) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @param {number} pid */
function isPostgres(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false;
  }
  // No ps on slim images of Linux, no /proc elsewhere. Z is a process that has ended and waits for its parent.
  const command =
    process.platform === 'linux' ? ['cat', `/proc/${pid}/stat`] : ['ps', '-o', 'comm=', '-p', `${pid}`];
  const run = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  if (run.status !== 0) return true;
  return run.stdout.includes('postgres') && !run.stdout.includes('(postgres) Z');
}
