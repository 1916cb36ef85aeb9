import { createHistogram } from 'node:perf_hooks';

/** @import { RequestKind } from './requests.mjs' */

/**
 * How requests fared in a stretch of time.
 * @typedef {object} Window
 * @property {number} seconds
 * @property {number} requests those that failed among them
 * @property {number} requestsPerSecond
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} p999Ms
 * @property {number} longestMs
 * @property {readonly SlowRequest[]} slowest the longest first
 * @property {number} errors
 * @property {Readonly<Record<string, number>>} messages of those errors, and how often each came
 */

/**
 * @typedef {object} SlowRequest
 * @property {RequestKind} kind
 * @property {number} ms
 * @property {number} atMs when it was sent, since the stretch began
 */

const SLOWEST = 10;

/** Keeps the time of every request in microseconds, in steps of a thousandth. */
export class Recorder {
  #histogram = createHistogram({ figures: 3 });
  #start = performance.now();
  /** @type {SlowRequest[]} */
  #slowest = [];
  /** @type {Record<string, number>} */
  #messages = {};

  /**
   * @param {RequestKind} kind
   * @param {number} sent by performance.now()
   * @param {string} [error] why it failed
   */
  record(kind, sent, error) {
    const ms = performance.now() - sent;
    this.#histogram.record(Math.max(1, Math.round(ms * 1_000)));
    if (error !== undefined) this.#messages[error] = (this.#messages[error] ?? 0) + 1;
    if (ms <= (this.#slowest[SLOWEST - 1]?.ms ?? 0)) return;
    const request = { kind, ms: hundredths(ms), atMs: Math.round(sent - this.#start) };
    this.#slowest = [...this.#slowest, request].toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  }

  /**
   * @param {number} end by performance.now()
   * @returns {Window}
   */
  toWindow(end) {
    const seconds = (end - this.#start) / 1_000;
    const requests = this.#histogram.count;
    const longestMs = this.#slowest[0]?.ms ?? 0;
    // The histogram's steps are rounded up.
    const percentile = (/** @type {number} */ share) =>
      requests === 0 ? 0 : Math.min(this.#histogram.percentile(share) / 1_000, longestMs);
    return {
      seconds: hundredths(seconds),
      requests,
      requestsPerSecond: Math.round(requests / seconds),
      p50Ms: percentile(50),
      p99Ms: percentile(99),
      p999Ms: percentile(99.9),
      longestMs,
      slowest: this.#slowest,
      errors: Object.values(this.#messages).reduce((sum, count) => sum + count, 0),
      messages: this.#messages,
    };
  }
}

/** @param {number} value */
function hundredths(value) {
  return Math.round(value * 100) / 100;
}
