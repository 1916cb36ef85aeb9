import { expect, test } from 'vitest';
import { FAULT_CASES } from '../../test/faults/fault-cases.mjs';
import { healAndDie, type Kill } from '../../test/faults/killed-process.js';
import { Trial } from '../../test/faults/trial.js';
import { writeRows } from './fault-table.js';

/** Real ones take their time. */
const PROCESSES = 60;

const MOMENTS: Kill['moment'][] = ['before', 'sent', 'after'];

test(`${PROCESSES} processes that are killed while they heal all kinds of change are each followed by one that ends it`, async () => {
  const trial = await Trial.open(FAULT_CASES);
  const { expected, points } = await trial.healInPeace();
  const deaths: { kill: Kill; end: string | number; difference: unknown }[] = [];
  for (let i = 0; i < PROCESSES; i++) {
    const at = 1 + Math.floor(((i + 0.5) * points.length) / PROCESSES);
    const kill = { at, moment: MOMENTS[i % MOMENTS.length] ?? 'before' };
    await trial.reset();
    const end = await healAndDie(trial.database, kill);
    deaths.push({ kill, end, difference: await trial.finish(expected) });
  }
  await trial.close();
  expect(deaths.filter(({ end }) => end !== 'SIGKILL')).toEqual([]);
  expect(deaths.filter(({ difference }) => difference !== null)).toEqual([]);
  const row = ['all of these in one plan, by SIGKILL', String(PROCESSES), '–', '–', '–', '–'];
  writeRows([[...row, `${PROCESSES} of ${PROCESSES}`]]);
});
