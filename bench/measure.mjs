import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** @import { Contender, Finding, OpenContender, Place } from './contender.d.mts' */

/**
 * What one contender needed in one place. The median of `runs` is what counts.
 * @typedef {object} Figure
 * @property {string} contender
 * @property {string} title
 * @property {number} medianMs
 * @property {readonly number[]} runsMs in the order in which they ran
 * @property {number | null} differences that it saw
 * @property {number | null} roundTrips of its last run; null where they are not counted
 */

/**
 * How to measure.
 * @typedef {object} Pace
 * @property {number} rounds for a contender that is not slow
 * @property {number} slowRounds for one that is
 */

/** One whose first run takes longer has fewer rounds. */
const SLOW_MS = 4_000;
/** One whose first run takes longer has had its warm-up thereby: that run counts. */
const VERY_SLOW_MS = 30_000;

/**
 * Measures side by side: all are open at once, and each round runs every one of them, so that whatever else the machine
 * does meets them all alike.
 * @param {readonly Contender[]} contenders
 * @param {Place} place
 * @param {Pace} pace
 * @param {() => number} [countRoundTrips]
 * @returns {Promise<Figure[]>}
 */
export async function measureSideBySide(contenders, place, pace, countRoundTrips) {
  const lanes = [];
  try {
    for (const contender of contenders) {
      const lane = new Lane(contender, await contender.open(place), countRoundTrips);
      lanes.push(lane);
      await lane.warmUp(pace);
    }
    while (lanes.some((lane) => lane.isRunning)) {
      for (const lane of lanes.filter(({ isRunning }) => isRunning)) await lane.run();
    }
    return lanes.map((lane) => lane.toFigure());
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

class Lane {
  /** @type {number[]} */
  #runs = [];
  #rounds = 0;
  /** @type {Finding['differences']} */
  #differences = null;
  /** @type {number | null} */
  #roundTrips = null;
  #contender;
  #open;
  #countRoundTrips;

  /**
   * @param {Contender} contender
   * @param {OpenContender} open
   * @param {(() => number) | undefined} countRoundTrips
   */
  constructor(contender, open, countRoundTrips) {
    this.#contender = contender;
    this.#open = open;
    this.#countRoundTrips = countRoundTrips;
  }

  get isRunning() {
    return this.#runs.length < this.#rounds;
  }

  /** @param {Pace} pace */
  async warmUp({ rounds, slowRounds }) {
    await this.run();
    const [first = 0] = this.#runs;
    this.#rounds = first > SLOW_MS ? slowRounds : rounds;
    if (first <= VERY_SLOW_MS) this.#runs = [];
  }

  async run() {
    await this.#open.prepare?.();
    // What the others left behind is not to be cleared away on this one's time.
    collectGarbage();
    const trips = this.#countRoundTrips?.() ?? 0;
    const start = performance.now();
    const { differences } = await this.#open.run();
    this.#runs.push(performance.now() - start);
    this.#differences = differences;
    this.#roundTrips = this.#countRoundTrips ? this.#countRoundTrips() - trips : null;
    await this.#open.cleanUp?.();
  }

  /** @returns {Figure} */
  toFigure() {
    const { name, title } = this.#contender;
    const runsMs = this.#runs.map((ms) => Math.round(ms * 10) / 10);
    return {
      contender: name,
      title,
      medianMs: median(runsMs),
      runsMs,
      differences: this.#differences,
      roundTrips: this.#roundTrips,
    };
  }

  close() {
    return this.#open.close();
  }
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

setFlagsFromString('--expose-gc');
export const collectGarbage = /** @type {() => void} */ (runInNewContext('gc'));
