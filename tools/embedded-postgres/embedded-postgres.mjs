import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverAccount } from './account.mjs';
import { usableBinaries } from './binaries.mjs';
import { clusterPaths, ensureCluster, serverUrl } from './cluster.mjs';
import { knownPlace, lastingPlace, passingPlace } from './place.mjs';
import { answers, runningServer } from './running.mjs';

/**
 * @import { ChildProcess } from 'node:child_process'
 * @import { Account } from './account.mjs'
 * @import { Binaries } from './binaries.mjs'
 * @import { PostgresOptions, RunningPostgres } from './index.d.mts'
 */

/**
 * What keeper.mjs is to do.
 * @typedef {object} KeeperOrder
 * @property {string} command
 * @property {string[]} arguments
 * @property {Account | undefined} account
 * @property {string} directory
 * @property {string | undefined} remove what to remove when the server has ended
 */

/** Between finding a free port and using it another process may have taken it. */
const PORT_ATTEMPTS = 3;

/** @type {typeof import('./index.d.mts').startPostgres} */
export async function startPostgres(options) {
  const { directory, persistent, binaries } = options;
  if (!persistent) {
    const account = await serverAccount('');
    const place = await passingPlace(directory, account);
    return start(place, await usableBinaries(place, account, binaries), account, options);
  }
  if (!directory) throw new Error('A persistent server needs a directory.');
  const account = await serverAccount(clusterPaths(await knownPlace(directory)).data);
  const place = await lastingPlace(resolve(directory), account);
  return start(place, await usableBinaries(place, account, binaries), account, options);
}

/** @type {typeof import('./index.d.mts').findRunningPostgres} */
export async function findRunningPostgres(directory) {
  return runningServer(await knownPlace(directory));
}

/**
 * @param {string} place
 * @param {Binaries} binaries
 * @param {Account | undefined} account
 * @param {PostgresOptions} options
 * @returns {Promise<RunningPostgres>}
 */
async function start(place, binaries, account, options) {
  await ensureCluster(place, binaries, account);
  const joined = async () => {
    const url = await runningServer(place);
    return url === undefined ? undefined : { url, place, started: false, stop: async () => undefined };
  };
  for (let attempt = 1; ; attempt++) {
    const running = await joined();
    if (running) return running;

    const port = options.port ?? (await freePort());
    const keeper = startKeeper(place, port, binaries, account, options);
    const url = await serverUrl(place, port);
    if (await ready(keeper, url)) return { url, place, started: true, stop: () => stop(keeper) };

    // Another process that started on the same data at the same moment may have been faster.
    const later = await joined();
    if (later) return later;
    const log = await readFile(clusterPaths(place).log, 'utf8');
    if (options.port || attempt === PORT_ATTEMPTS || !log.includes('could not bind')) {
      if (!options.persistent) await rm(place, { recursive: true });
      throw new Error(
        `PostgreSQL did not start on port ${port}: ${log.trim().split('\n').slice(-8).join('\n')}`,
      );
    }
  }
}

/**
 * @param {string} place
 * @param {number} port
 * @param {Binaries} binaries
 * @param {Account | undefined} account
 * @param {PostgresOptions} options
 */
function startKeeper(place, port, binaries, account, { persistent, settings }) {
  const { cluster, data, log } = clusterPaths(place);
  const all = {
    ...settings,
    port: `${port}`,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  /** @type {KeeperOrder} */
  const order = {
    command: binaries.postgres,
    arguments: ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    account,
    directory: cluster,
    remove: persistent ? undefined : place,
  };
  // What our own node was told (a debugger's port, a loader) is not meant for the keeper.
  const { NODE_OPTIONS: _, ...env } = process.env;
  // A new one at each start: it would grow for ever, or belong to whoever started the server before us.
  rmSync(log, { force: true });
  const output = openSync(log, 'a');
  const keeper = fork(fileURLToPath(new URL('keeper.mjs', import.meta.url)), [JSON.stringify(order)], {
    detached: true,
    env,
    execArgv: [],
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  // A running server must not keep the process alive that has nothing else to do.
  keeper.unref();
  keeper.channel?.unref();
  return keeper;
}

/**
 * Whether the server came to answer; it may have to recover first, which takes as long as it takes.
 * @param {ChildProcess} keeper
 * @param {string} url
 */
async function ready(keeper, url) {
  while (keeper.exitCode === null && keeper.signalCode === null) {
    if (await answers(url)) return true;
    await wait(50);
  }
  return false;
}

/** @param {ChildProcess} keeper */
async function stop(keeper) {
  if (!keeper.connected) return;
  keeper.ref();
  const ended = once(keeper, 'exit');
  keeper.disconnect();
  await ended;
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}
