import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { execute } from '../server.mjs';
import { openTransaction } from './blocker.mjs';
import { examine } from './examination.mjs';
import { WANTED } from './tables.mjs';
import { startTraffic, TRAFFIC } from './traffic.mjs';

/**
 * @import { Healer, DoneStep, Patient } from './healer.d.mts'
 * @import { Examination } from './examination.mjs'
 * @import { LoadExtent } from './load.mjs'
 * @import { Window } from './recorder.mjs'
 */

/**
 * @typedef {object} HealingFigure
 * @property {string} healer
 * @property {string} title
 * @property {number} blockedMs how long a transaction was forgotten on the table; 0: there was none
 * @property {boolean} isMet whether anybody had to wait for that
 * @property {Window} idle how the application fared just before
 * @property {Window} healing and meanwhile
 * @property {number} healedAfterMs
 * @property {string | null} error why it was not brought to an end
 * @property {readonly (DoneStep & { readonly endedAtMs: number })[]} steps
 * @property {Examination} left
 */

/**
 * @param {string} url of a database of its own
 * @param {Healer} healer
 * @param {LoadExtent & { readonly rows: number }} extent
 * @returns {Promise<HealingFigure>}
 */
export async function measureHealing(
  url,
  healer,
  { rows, connections, warmUpMs, idleMs, blockedMs, limitMs },
) {
  const dataSource = await new DataSource({ type: 'postgres', url, entities: WANTED }).initialize();
  const kinds = /** @type {const} */ (['read', 'update', 'insert']);
  const traffic = await startTraffic({ url, rows, connections, kinds }, warmUpMs);
  try {
    const { window: idle } = await traffic.watch(() => wait(idleMs));
    const blocker = blockedMs > 0 ? await openTransaction(url, blockedMs) : undefined;
    const { window: healing, result } = await traffic.watch(() => {
      return heal(healer, { url, dataSource, signal: AbortSignal.timeout(limitMs) });
    });
    await traffic.stop();
    const isMet = (await blocker?.end()) ?? false;
    const { name, title } = healer;
    const left = await examine(dataSource);
    return { healer: name, title, blockedMs, isMet, idle, healing, ...result, left };
  } finally {
    await traffic.stop();
    await dataSource.destroy();
  }
}

/**
 * What somebody does to the database, timed, and cut off when it takes too long.
 * @param {Healer} healer
 * @param {Patient} patient
 */
export async function heal(healer, patient) {
  const start = performance.now();
  const sinceStart = () => Math.round(performance.now() - start);
  /** @type {HealingFigure['steps'][number][]} */
  const steps = [];
  let error = null;
  const cut = () => void cutOff(patient.url);
  patient.signal.addEventListener('abort', cut);
  try {
    await healer.heal(patient, ({ what, ms }) => {
      steps.push({ what, ms: ms === null ? null : Math.round(ms * 10) / 10, endedAtMs: sinceStart() });
    });
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    error = patient.signal.aborted ? `broken off after ${sinceStart() / 1_000} s` : message;
  } finally {
    patient.signal.removeEventListener('abort', cut);
  }
  return { healedAfterMs: sinceStart(), error, steps };
}

/**
 * Ends every session but the application's: whoever heals is told so by the statement that is running.
 * @param {string} url
 */
async function cutOff(url) {
  const others = `datname = current_database() and application_name <> '${TRAFFIC}' and pid <> pg_backend_pid()`;
  await execute(url, [`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`]);
}
