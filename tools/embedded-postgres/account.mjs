import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';

/**
 * The account that PostgreSQL runs as, where it is not the one that we run as: PostgreSQL refuses root.
 * @typedef {{ uid: number, gid: number }} Account
 */

/**
 * Who already owns the data, else `postgres`, else `nobody`. We make no account: that would be a surprising
 * thing for a test run to leave on a machine.
 * @param {string} data
 * @returns {Promise<Account | undefined>}
 */
export async function serverAccount(data) {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(data).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = named('postgres') ?? named('nobody');
  if (account) return account;
  throw new Error(
    'PostgreSQL does not run as root, and this machine has neither an account "postgres" nor "nobody" to run it as. ' +
      'Make one (useradd postgres), run as an ordinary user, or give the URL of a server of your own.',
  );
}

/**
 * @param {string} name
 * @returns {Account | undefined}
 */
function named(name) {
  const [uid, gid] = ['-u', '-g'].map((which) => spawnSync('id', [which, name], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * Whether that account may enter the folder. Asked by doing it, because mode bits are not the whole truth
 * (parents, access lists, mounts). A clone in /root is the usual case where it may not.
 * @param {string} directory
 * @param {Account | undefined} account
 */
export function mayEnter(directory, account) {
  if (!account) return true;
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { ...account, cwd: '/' }).status === 0;
}
