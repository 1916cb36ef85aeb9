import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** @import { Peers } from './peers.d.mts' */

const FOLDER = import.meta.dirname;

/**
 * A module of a peer. From here, because what lies in this folder's node_modules is found from this folder alone.
 * @template {keyof Peers} Name
 * @param {Name} name
 * @returns {Promise<Peers[Name]>}
 */
export async function loadPeer(name) {
  return /** @type {Peers[Name]} */ (await import(name));
}

/** Installs the peers where they are not. No script of theirs runs. */
export function ensurePeers() {
  if (existsSync(`${FOLDER}/node_modules/.package-lock.json`)) return;
  console.error('Installing the peers into bench/peers/node_modules …');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm is a script on Windows, which only a shell can run.
  execFileSync('npm', ['ci', ...options], {
    cwd: FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/**
 * The version of a peer that is installed.
 * @param {string} name
 */
export function peerVersion(name) {
  const manifest = readFileSync(`${FOLDER}/node_modules/${name}/package.json`, 'utf8');
  return /** @type {{ version: string }} */ (JSON.parse(manifest)).version;
}
