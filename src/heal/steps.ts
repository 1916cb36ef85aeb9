import { describeError, SqlState, sqlStateOf } from '../errors.js';
import type { PlannedUnit } from '../plan/plan.js';
import type { Step } from '../plan/step.js';
import { run, type Connection } from '../schema/connection.js';
import { setApplicationWording, setWording } from '../schema/wording.js';

export interface StepInUnit {
  readonly step: Step;
  readonly unit: PlannedUnit;
}

/** Carries out of the transaction which statement failed. */
export class StepFailure extends Error {
  constructor(
    readonly position: number,
    override readonly cause: unknown,
  ) {
    super(describeError(cause));
  }
}

function isFill({ fills = [] }: PlannedUnit): boolean {
  return fills.some(({ state }) => state !== 'pending');
}

function isDeclared({ fills = [] }: PlannedUnit): boolean {
  return fills.some(({ fill }) => fill.expression !== null);
}

/** The expression is the application's, and so is the search path in which it finds its tables. */
function asApplication({ sql, table }: Step): string {
  return `${setApplicationWording(table?.schema ?? 'public')}; ${sql}; ${setWording('transaction')}`;
}

const SAVEPOINT = 'auto_migration_unit';

/** By the rows that are there: NULL, or a check. */
function isViolation(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === SqlState.notNullViolation || state === SqlState.checkViolation;
}

/** The milliseconds that a step took; or why its unit was left out. */
export type StepEnd = number | StepFailure;

/** @param beforeUnit what has to hold, or it fails like the unit's first statement */
export async function runSteps(
  connection: Connection,
  steps: readonly StepInUnit[],
  onStep: (position: number) => void,
  beforeUnit?: (unit: PlannedUnit) => Promise<void>,
): Promise<StepEnd[]> {
  const ends: StepEnd[] = [];
  for (const [position, { step, unit }] of steps.entries()) {
    // Left out with its unit.
    if (ends[position] !== undefined) continue;
    onStep(position);
    const start = performance.now();
    const isFirst = steps[position - 1]?.unit !== unit;
    try {
      if (isFirst && unit.isTentative) await run(connection, `savepoint ${SAVEPOINT}`);
      if (isFirst) await beforeUnit?.(unit);
      await run(connection, isFill(unit) ? asApplication(step) : step.sql);
      ends[position] = performance.now() - start;
    } catch (error) {
      const failure = new StepFailure(position, error);
      if (!unit.isTentative || !isViolation(error)) throw failure;
      await run(connection, `rollback to savepoint ${SAVEPOINT}`);
      for (const [i, each] of steps.entries()) if (each.unit === unit) ends[i] = failure;
    }
    if (endsFills(steps, position)) await fillAgain(connection, steps.slice(0, position + 1));
  }
  return ends;
}

/** A default takes the place of what is declared, which so has to have had its turn; and what follows needs the values. */
function endsFills(steps: readonly StepInUnit[], position: number): boolean {
  const [unit, next] = [steps[position]?.unit, steps[position + 1]?.unit];
  if (!unit || !isFill(unit)) return false;
  return !next || !isFill(next) || isDeclared(next) !== isDeclared(unit);
}

/**
 * What was NULL for an expression may have a value now that others are filled, too: again until there is none. The
 * longest chain is as long as there are fills.
 */
async function fillAgain(connection: Connection, steps: readonly StepInUnit[]): Promise<void> {
  const fills = [...steps.entries()].filter(([, { unit }]) => isFill(unit));
  const declared = fills.filter(([, { unit }]) => isDeclared(unit));
  for (let round = 1; fills.length > 1 && round <= declared.length; round++) {
    let filled = 0;
    for (const [position, { step }] of declared)
      filled += await rowsFilled(connection, step).catch(failureAt(position));
    if (filled === 0) return;
  }
}

async function rowsFilled(connection: Connection, step: Step): Promise<number> {
  const [, update] = [await connection.query(asApplication(step))].flat();
  return update?.rowCount ?? 0;
}

function failureAt(position: number): (error: unknown) => never {
  return (error) => {
    throw new StepFailure(position, error);
  };
}
