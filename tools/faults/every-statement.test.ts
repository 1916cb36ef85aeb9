import { afterAll, describe, expect, test } from 'vitest';
import { AFTER, BEFORE, type Fault, type Moment, type Point, type Victim } from '../../test/faults/fault.js';
import { FAULT_CASES, type FaultCase } from '../../test/faults/fault-cases.mjs';
import { Trial, type Outcome } from '../../test/faults/trial.js';
import { printTable, rowOf, writeRows, type Row } from './fault-table.js';

/** Looking, the lock and the journal are the same in all of them. */
const [WITH_LOOKS] = FAULT_CASES;

const rows: Row[] = [];

afterAll(() => {
  console.log(printTable(rows));
  writeRows(rows);
});

/** What can happen at a statement. A process that dies after it has died before the next one. */
function faultsAt({ at, isConcurrent, isStep }: Point): Fault[] {
  const victims: [Victim, Moment][] = [
    ['process', 'before'],
    ['session', 'before'],
    ['session', 'after'],
  ];
  if (isStep) victims.push(['lock', 'before']);
  if (isConcurrent) victims.push(['process', 'middle'], ['session', 'middle']);
  return victims.map(([victim, moment]) => ({ victim, moment, meets: (point) => point.at === at }));
}

describe.concurrent('a run that dies at any statement is finished by the next process', () => {
  test.each(FAULT_CASES)('$kind', async (faultCase: FaultCase) => {
    const trial = await Trial.open([faultCase]);
    const { expected, points } = await trial.healInPeace();
    const isWanted = ({ kind }: Point): boolean =>
      faultCase === WITH_LOOKS || (kind !== BEFORE && kind !== AFTER);
    const outcomes: Outcome[] = [];
    for (const point of points.filter(isWanted))
      for (const fault of faultsAt(point)) outcomes.push(await trial.meet(fault, expected));
    await trial.close();
    for (const kind of new Set(points.filter(isWanted).map((point) => point.kind)))
      rows.push(
        rowOf(
          kind,
          outcomes.filter(({ point }) => point?.kind === kind),
        ),
      );
    expect(outcomes.filter(({ point }) => point === null)).toEqual([]);
    expect(outcomes.filter(({ difference }) => difference !== null)).toEqual([]);
    expect(outcomes.filter(isToldWrongly)).toEqual([]);
  });
});

/** Who dies cannot write down how the run ended. Who loses another session than that of the journal can. */
function isToldWrongly({ fault: { victim }, run }: Outcome): boolean {
  return victim === 'process' && run !== null && run !== 'interrupted' && run !== 'healed';
}
