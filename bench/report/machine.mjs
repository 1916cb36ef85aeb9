import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { peerVersion } from '../peers/load.mjs';

/**
 * What the figures hold for.
 * @typedef {object} Machine
 * @property {string} processor
 * @property {number} cores
 * @property {number} memoryGb
 * @property {string} system
 * @property {Readonly<Record<string, string>>} versions
 */

const ROOT = new URL('../../', import.meta.url);

/**
 * @param {string} postgres the server's version
 * @param {boolean} withPeers
 * @returns {Machine}
 */
export function describeMachine(postgres, withPeers) {
  /** @type {Record<string, string>} */
  const versions = {
    'nestjs-auto-migration': versionIn('package.json'),
    'Node.js': process.versions.node,
    PostgreSQL: postgres,
    pg: versionIn('node_modules/pg/package.json'),
    TypeORM: versionIn('node_modules/typeorm/package.json'),
  };
  if (withPeers) {
    versions['MikroORM'] = peerVersion('@mikro-orm/postgresql');
    versions['drizzle-kit'] = peerVersion('drizzle-kit');
    versions['drizzle-orm'] = peerVersion('drizzle-orm');
  }
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${arch()}`,
    versions,
  };
}

/** @param {string} manifest */
function versionIn(manifest) {
  const { version } = /** @type {{ version: string }} */ (
    JSON.parse(readFileSync(new URL(manifest, ROOT), 'utf8'))
  );
  return version;
}
