import { describeError } from '../errors.js';
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

/** The expression is the application's, and so is the search path in which it finds its tables. */
function asApplication({ sql, table }: Step): string {
  return `${setApplicationWording(table?.schema ?? 'public')}; ${sql}; ${setWording('transaction')}`;
}

/**
 * @param beforeUnit what has to hold, or it fails like the unit's first statement
 * @returns the milliseconds that each took
 */
export async function runSteps(
  connection: Connection,
  steps: readonly StepInUnit[],
  onStep: (position: number) => void,
  beforeUnit?: (unit: PlannedUnit) => Promise<void>,
): Promise<number[]> {
  const durations: number[] = [];
  for (const [position, { step, unit }] of steps.entries()) {
    onStep(position);
    const start = performance.now();
    try {
      if (steps[position - 1]?.unit !== unit) await beforeUnit?.(unit);
      await run(connection, isFill(unit) ? asApplication(step) : step.sql);
    } catch (error) {
      throw new StepFailure(position, error);
    }
    durations.push(performance.now() - start);
  }
  return durations;
}
