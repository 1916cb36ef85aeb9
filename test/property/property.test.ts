import { expect, test } from 'vitest';
import { createTestDatabase } from '../setup/database.js';
import { checkProperty, PROPERTIES } from './properties.js';

/** So few that they take some ten seconds; `npm run test:soak` goes on for as long as it is told. */
const RUNS = 12;

/** Where it fails, the smallest counter-example that is found in this time is told. */
const SHRINKING_MS = 90_000;

const { PROPERTY_SEED: seed, PROPERTY_PATH: path } = process.env;
/** What a counter-example told to bring it back; nothing where it is to be drawn anew. */
const replayed = { ...(seed ? { seed: Number(seed) } : {}), ...(path ? { path } : {}) };

test.for(Object.entries(PROPERTIES))('%s', { timeout: 2 * SHRINKING_MS }, async ([title, toProperty]) => {
  // Of its own: a run that shrinking breaks off by its time goes on for a while.
  const property = toProperty(await createTestDatabase());
  const parameters = { numRuns: RUNS, interruptAfterTimeLimit: SHRINKING_MS, ...replayed };
  expect(await checkProperty(title, property, parameters)).toBeGreaterThan(0);
});
