import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { heal } from '../load/healing.mjs';
import { startTraffic } from '../load/traffic.mjs';
import { WANTED } from './tables.mjs';

/**
 * @import { Healer } from '../load/healer.d.mts'
 * @import { Window } from '../load/recorder.mjs'
 * @import { FillExtent } from './fill.mjs'
 */

const COUNT = `select count(reference)::int as filled, (count(*) - count(reference))::int as unfilled from booking`;

/**
 * @typedef {object} Filling
 * @property {number} ms
 * @property {number} filled rows
 * @property {number} unfilled rows
 * @property {number} rowsPerSecond
 * @property {string | null} error why it was not brought to an end
 */

/** @typedef {Filling & { readonly idle: Window, readonly queries: Window }} FillingBesideQueries */

/**
 * @param {string} url of a database of its own
 * @param {Healer} filler
 * @param {number} limitMs
 * @returns {Promise<Filling>}
 */
export async function measureFilling(url, filler, limitMs) {
  const dataSource = await new DataSource({ type: 'postgres', url, entities: WANTED }).initialize();
  try {
    const signal = AbortSignal.timeout(limitMs);
    const { healedAfterMs: ms, error } = await heal(filler, { url, dataSource, signal });
    /** @type {{ filled: number, unfilled: number }[]} */
    const counted = await dataSource.query(COUNT);
    const { filled, unfilled } = counted[0] ?? { filled: NaN, unfilled: NaN };
    return { ms, filled, unfilled, rowsPerSecond: Math.round((filled / ms) * 1_000), error };
  } finally {
    await dataSource.destroy();
  }
}

/**
 * The same while an application asks for rows by their keys.
 * @param {string} url of a database of its own
 * @param {Healer} filler
 * @param {FillExtent & { readonly rows: number }} extent
 * @returns {Promise<FillingBesideQueries>}
 */
export async function measureBesideQueries(url, filler, { rows, connections, warmUpMs, idleMs, limitMs }) {
  const traffic = await startTraffic({ url, rows, connections, kinds: ['read'] }, warmUpMs);
  try {
    const { window: idle } = await traffic.watch(() => wait(idleMs));
    const { window: queries, result } = await traffic.watch(() => measureFilling(url, filler, limitMs));
    return { ...result, idle, queries };
  } finally {
    await traffic.stop();
  }
}
