import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { typeormModules } from '../matrix/versions.mjs';
import { APPLICATIONS } from './applications.mjs';

/** @import { Cell } from '../matrix/cells.mjs' */

/** Removed by the next npm ci; npm's own cache then spares the download. */
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'applications');

/**
 * Fetches the applications to where Node finds the wanted TypeORM above them.
 * @param {Cell['typeorm']} typeorm
 * @returns {string} the folder with a folder for each application that is to be had
 */
export function fetchApplications(typeorm) {
  const modules = typeormModules(typeorm);
  const folder = modules === undefined ? CACHE : join(dirname(modules), 'applications');
  for (const name of Object.keys(APPLICATIONS)) {
    try {
      fetch(name);
      if (!existsSync(join(folder, name))) cpSync(join(CACHE, name), join(folder, name), { recursive: true });
    } catch (error) {
      console.error(`${name} is not to be had: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return folder;
}

/** @param {string} name */
function fetch(name) {
  const { packed, beside, standIns } = /** @type {import('./applications.mjs').Application} */ (
    APPLICATIONS[name]
  );
  if (existsSync(join(CACHE, name))) return;
  console.error(`Fetching ${packed} and what its entities import …`);
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, 'fetching-'));
  try {
    // No scripts, and no peers: TypeORM is to be that of the cell, and pg the project's.
    npm(scratch, 'install', '--ignore-scripts', '--legacy-peer-deps', '--omit=optional', ...beside);
    const archive = npm(scratch, 'pack', '--silent', packed).trim();
    const target = join(scratch, 'node_modules', packed.slice(0, packed.lastIndexOf('@')));
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(scratch, archive), '-C', target, '--strip-components=1']);
    rmSync(join(scratch, archive));
    for (const standIn of standIns ?? []) writeEmpty(join(scratch, 'node_modules', standIn));
    // Whole or not at all, as a run that is stopped would leave a part.
    renameSync(scratch, join(CACHE, name));
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    throw error;
  }
}

/**
 * So that Node finds the package, whose exports the tests then give it.
 * @param {string} folder
 */
function writeEmpty(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), '');
}

/**
 * @param {string} folder
 * @param {...string} options
 */
function npm(folder, ...options) {
  return execFileSync(
    'npm',
    [...options, '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      // npm is a script on Windows, which only a shell can run.
      shell: process.platform === 'win32',
    },
  );
}
