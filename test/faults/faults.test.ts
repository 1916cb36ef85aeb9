import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fault, Point } from './fault.js';
import { FAULT_CASES } from './fault-cases.mjs';
import { healAndDie } from './killed-process.js';
import type { State } from './state.js';
import { Trial } from './trial.js';

// `npm run test:faults` kills at each statement.

/** Each process comes so many statements further than the one before. */
const STATEMENTS = 50;

const FAULTS: Pick<Fault, 'victim' | 'moment'>[] = [
  { victim: 'session', moment: 'after' },
  { victim: 'process', moment: 'before' },
  { victim: 'lock', moment: 'before' },
  { victim: 'session', moment: 'before' },
  // Concurrent builds come late.
  { victim: 'process', moment: 'middle' },
  { victim: 'session', moment: 'middle' },
];

let trial: Trial;
let expected: State;
let points: readonly Point[];

beforeAll(async () => {
  trial = await Trial.open(FAULT_CASES);
  ({ expected, points } = await trial.healInPeace());
});

afterAll(() => trial.close());

test('a healing in peace leaves nothing behind, and meets each kind of change', () => {
  expect(expected.leftOver).toEqual([]);
  const kinds = new Set(points.map(({ kind }) => kind));
  expect(FAULT_CASES.filter(({ kind }) => !kinds.has(kind))).toEqual([]);
});

const patiently = { timeout: 120_000 };

test(
  'processes that die one after another, each of another fault, leave what one leaves that lives',
  patiently,
  async () => {
    await trial.reset();
    const first = { at: Math.floor(points.length / 3), moment: 'sent' } as const;
    expect(await healAndDie(trial.database, first)).toBe('SIGKILL');
    const deaths: (Point | null)[] = [];
    for (const fault of FAULTS) {
      const isThere = ({ ofSteps, isConcurrent }: Point): boolean =>
        fault.moment === 'middle' ? isConcurrent : ofSteps === STATEMENTS;
      deaths.push(await trial.dieOf({ ...fault, meets: isThere }));
    }
    expect(deaths).not.toContain(null);
    expect(await trial.finish(expected)).toBeNull();
    const [last, ...earlier] = await trial.runs();
    expect(last).toBe('healed');
    // Who has lost the lock alone can still write down that it stops.
    expect(earlier.filter((outcome) => outcome !== 'interrupted')).toEqual(['failed']);
  },
);
