/**
 * @import { Looks } from '../looks.mjs'
 * @import { Figure } from '../measure.mjs'
 */

/**
 * What we promise, held against what was measured.
 * @typedef {object} PromiseKept
 * @property {string} promise
 * @property {string} limit
 * @property {string} measured
 * @property {boolean} isKept
 */

/** The size that is spoken of. */
const TABLES = 1_000;
const MANY = 5_000;
/** Linear growth, with room for what a machine does beside it. */
const LINEAR = 1.25;

/**
 * @param {Looks} looks
 * @returns {PromiseKept[]} those whose figures are there
 */
export function holdLookPromises(looks) {
  const at = (/** @type {string} */ contender) => medianOf(looks, contender, TABLES);
  const fastestPeer = Math.min(...['mikro-orm', 'drizzle-kit'].map(at).filter(Number.isFinite));
  const footprint = (/** @type {string} */ work) =>
    looks.footprints.find((each) => each.work === work && each.tables === MANY);
  const stall = Math.max(
    footprint('full-check')?.longestStallMs ?? NaN,
    footprint('steady-check')?.longestStallMs ?? NaN,
  );
  const growth = medianOf(looks, 'full-check', MANY) / at('full-check') / (MANY / TABLES);
  return [
    atMost(
      'A full check, against its catalog queries alone',
      at('full-check') / at('catalog-queries'),
      1.5,
      '×',
    ),
    atLeast('A full check is faster than TypeORM', at('typeorm') / at('full-check'), 25, '×'),
    atLeast('A full check is faster than the fastest other peer', fastestPeer / at('full-check'), 4, '×'),
    atMost(
      'A steady check, against the fingerprint query alone',
      at('steady-check') / at('fingerprint'),
      2,
      '×',
    ),
    atLeast('A steady check is faster than TypeORM', at('typeorm') / at('steady-check'), 400, '×'),
    atMost('Round trips of a steady check', distant(looks, 'steady-check')?.roundTrips ?? NaN, 1, ''),
    atMost(`Growth of a full check from ${TABLES} to ${MANY} tables, against linear`, growth, LINEAR, '×'),
    atMost(
      `Memory of a full check of ${MANY} tables`,
      footprint('full-check')?.rssAboveIdleMb ?? NaN,
      150,
      ' MB',
    ),
    atMost(`The longest stall of the event loop in a check of ${MANY} tables`, stall, 50, ' ms'),
  ].filter((each) => each !== undefined);
}

/**
 * @param {Looks} looks
 * @param {string} contender
 * @param {number} tables
 */
function medianOf({ scenarios }, contender, tables) {
  const plain = scenarios.find(
    ({ scenario }) => scenario.tables === tables && scenario.foreign === 0 && scenario.delayMs === 0,
  );
  return figureOf(plain?.figures, contender)?.medianMs ?? NaN;
}

/**
 * @param {Looks} looks
 * @param {string} contender
 */
function distant({ scenarios }, contender) {
  return figureOf(scenarios.find(({ scenario }) => scenario.delayMs > 0)?.figures, contender);
}

/**
 * @param {readonly Figure[] | undefined} figures
 * @param {string} contender
 */
function figureOf(figures, contender) {
  return figures?.find((figure) => figure.contender === contender);
}

/**
 * @param {string} promise
 * @param {number} measured
 * @param {number} limit
 * @param {string} unit
 * @returns {PromiseKept | undefined}
 */
export function atMost(promise, measured, limit, unit) {
  return held(promise, measured, `≤ ${limit}${unit}`, unit, measured <= limit);
}

/** @type {typeof atMost} */
export function atLeast(promise, measured, limit, unit) {
  return held(promise, measured, `≥ ${limit}${unit}`, unit, measured >= limit);
}

/**
 * @param {string} promise
 * @param {number} measured
 * @param {string} limit
 * @param {string} unit
 * @param {boolean} isKept
 * @returns {PromiseKept | undefined}
 */
function held(promise, measured, limit, unit, isKept) {
  if (!Number.isFinite(measured)) return undefined;
  const digits = measured < 10 && unit === '×' ? 2 : 0;
  return { promise, limit, measured: `${measured.toFixed(digits)}${unit}`, isKept };
}
