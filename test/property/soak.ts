// npm run test:soak, with SOAK_MINUTES; no part of npm test
import { expect, test } from 'vitest';
import { createTestDatabase } from '../setup/database.js';
import { checkProperty, PROPERTIES } from './properties.js';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 30);
/** Each round has a seed of its own, so that what fails is brought back in little time. */
const RUNS_A_ROUND = 50;
const SHRINKING_MS = 10 * 60_000;

const start = Date.now();
const timeout = MINUTES * 60_000 + 2 * SHRINKING_MS;

test(`${MINUTES} minutes without a counter-example`, { timeout }, async () => {
  const runs: Record<string, number> = {};
  let seed = start % 1_000_000_000;
  while (Date.now() - start < MINUTES * 60_000) {
    // What was dropped stays in the catalog for a while, and makes every look at it slower.
    const database = await createTestDatabase();
    for (const [title, toProperty] of Object.entries(PROPERTIES)) {
      const property = toProperty(database);
      const parameters = { numRuns: RUNS_A_ROUND, interruptAfterTimeLimit: SHRINKING_MS, seed };
      runs[title] = (runs[title] ?? 0) + (await checkProperty(title, property, parameters));
    }
    await database.drop();
    const minutes = ((Date.now() - start) / 60_000).toFixed(1);
    console.log(`${minutes} min, seed ${seed}: ${JSON.stringify(runs)}`);
    seed++;
  }
  expect(Math.min(...Object.values(runs))).toBeGreaterThan(0);
});
