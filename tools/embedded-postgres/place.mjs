import { chmod, mkdir, mkdtemp, readlink, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mayEnter } from './account.mjs';

/** @import { Account } from './account.mjs' */

/** Folders that any account may enter on any Unix, for data that is to stay and for data that is not. */
const LASTING = ['/var/lib', '/var/tmp'];
const PASSING = [tmpdir(), '/var/tmp', '/var/lib'];

const PREFIX = 'nestjs-auto-migration-';

/**
 * Where the data found by `directory` lies: there, or where the link "elsewhere" in it leads.
 * @param {string} directory
 */
export async function knownPlace(directory) {
  const target = await readlink(join(directory, 'elsewhere')).catch(() => undefined);
  const there = target && (await stat(target).catch(() => undefined));
  return there ? target : resolve(directory);
}

/**
 * A folder for data that stays: `directory`, unless the server's account may not enter it. Then it is a folder
 * elsewhere, and a link to it is left in `directory`.
 * @param {string} directory
 * @param {Account | undefined} account
 */
export async function lastingPlace(directory, account) {
  await mkdir(directory, { recursive: true });
  const known = await knownPlace(directory);
  if (mayEnter(known, account)) return known;
  const link = join(directory, 'elsewhere');
  // Where it leads nowhere: who removed the folder there wants a fresh one. One that is not there yet is left to whoever
  // makes it in this moment.
  const target = await readlink(link).catch(() => undefined);
  if (target && !(await stat(target).catch(() => undefined))) await rm(link, { force: true });
  const place = await makeFolder(LASTING, account);
  try {
    await symlink(place, link);
    return place;
  } catch {
    // Another process that starts at the same moment was faster.
    await rm(place, { recursive: true });
    return readlink(link);
  }
}

/**
 * A folder of its own for data that does not stay.
 * @param {string | undefined} directory
 * @param {Account | undefined} account
 */
export async function passingPlace(directory, account) {
  if (directory) await mkdir(directory, { recursive: true });
  return makeFolder(directory ? [resolve(directory), ...PASSING] : PASSING, account);
}

/**
 * @param {readonly string[]} parents
 * @param {Account | undefined} account
 */
async function makeFolder(parents, account) {
  for (const parent of parents) {
    const folder = await mkdtemp(join(parent, PREFIX)).catch(() => undefined);
    if (!folder) continue;
    // For the binaries; what is secret lies in a folder that only the account may read.
    await chmod(folder, 0o755);
    if (mayEnter(folder, account)) return folder;
    await rm(folder, { recursive: true });
  }
  throw new Error(
    `None of ${parents.join(', ')} can hold PostgreSQL's data: it must be writable for this process and open to the account the server runs as.`,
  );
}
