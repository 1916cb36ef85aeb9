// Packs the package as npm would publish it, unpacks it beside nothing but the dependencies it declares, and uses
// it there as its users do: imported, required, and from the command line. Run `npm run build` first.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {Record<string, string>} dependencies
 * @property {Record<string, string>} peerDependencies
 */

const root = join(import.meta.dirname, '..');
const manifest = /** @type {Manifest} */ (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const consumer = mkdtempSync(join(tmpdir(), 'consumer-'));

/**
 * @param {string} command
 * @param {string[]} parameters
 * @param {string} cwd
 */
function run(command, parameters, cwd) {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

try {
  const modules = join(consumer, 'node_modules');
  mkdirSync(modules);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', consumer], root);
  const tarball = readdirSync(consumer).find((name) => name.endsWith('.tgz')) ?? '';
  run('tar', ['-xzf', tarball], consumer);
  const installed = join(modules, manifest.name);
  run('mv', ['package', installed], consumer);

  const uses = `
    if (typeof all.AutoMigrationModule.forRoot !== 'function') throw new Error('no AutoMigrationModule');
    if (typeof all.AutoMigrator !== 'function') throw new Error('no AutoMigrator');
    console.log(Object.keys(all).sort().join(' '));`;
  const imported = run(
    process.execPath,
    ['--input-type=module', '-e', `import * as all from '${manifest.name}';${uses}`],
    consumer,
  );
  console.log(`import: ${imported.trim()}`);
  const required = run(
    process.execPath,
    ['--input-type=commonjs', '-e', `const all = require('${manifest.name}');${uses}`],
    consumer,
  );
  if (required !== imported) throw new Error(`require() gives other names: ${required}`);
  console.log('require(): the same');

  const help = run(process.execPath, [join(installed, 'bin', 'auto-migrate.js'), '--help'], consumer);
  if (!/\bcheck\b/u.test(help) || !/\bheal\b/u.test(help))
    throw new Error(`auto-migrate --help says: ${help}`);
  console.log('auto-migrate --help: names its commands');
} finally {
  rmSync(consumer, { recursive: true, force: true });
}
