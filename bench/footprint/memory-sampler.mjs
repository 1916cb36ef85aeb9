// In a thread of its own, as the main one is busy just when its memory is at its peak.
import { workerData } from 'node:worker_threads';

const EVERY_MS = 5;

const peakBytes = new Float64Array(/** @type {SharedArrayBuffer} */ (workerData));
setInterval(() => {
  peakBytes[0] = Math.max(peakBytes[0] ?? 0, process.memoryUsage.rss());
}, EVERY_MS);
