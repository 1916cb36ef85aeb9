import type { Fill } from '../drift/fill.js';
import { markFill } from '../journal/fills.js';
import type { PlannedUnit } from '../plan/plan.js';
import type { FillMark } from '../plan/step.js';
import type { Connection } from '../schema/connection.js';
import { findsNull, findsUnfilled } from './unfilled.js';

interface Rounds {
  readonly connection: Connection;
  readonly journalSchema: string;
  /** Carries out one unit, and tells whether that was done. */
  readonly run: (unit: PlannedUnit, isAgain: boolean) => Promise<boolean>;
}

/**
 * Carries out units in batches of which each may read what another one fills: what is NULL for an expression in one
 * round may have a value in the next one. Nobody parses SQL for that; the rows are asked. What is declared is `swept`
 * until all is done, so that a process that dies in between leaves it to the next run.
 */
export async function fillInRounds(units: readonly PlannedUnit[], rounds: Rounds): Promise<void> {
  const isUnsure = units.some((unit) => markOf(unit).isUnsure === true);
  if (units.length > 1 || isUnsure) await new FillRounds(rounds, isUnsure).run(units);
  else for (const unit of units) await rounds.run(unit, false);
}

class FillRounds {
  /** Declared, and swept without a failure. */
  private readonly swept = new Set<PlannedUnit>();

  constructor(
    private readonly rounds: Rounds,
    private isAnyLeft: boolean,
  ) {}

  async run(units: readonly PlannedUnit[]): Promise<void> {
    for (const [i, unit] of units.entries()) {
      // A default takes the place of what is declared, which so has to have had its turn.
      if (!isDeclared(unit) && i > 0 && isDeclared(units[i - 1])) await this.repeat();
      await this.fill(unit);
    }
    await this.repeat();
    for (const unit of this.swept) await this.finish(unit);
  }

  private async fill(unit: PlannedUnit, isAgain = false): Promise<void> {
    const isSwept = await this.rounds.run(isDeclared(unit) ? unfinished(unit) : unit, isAgain);
    this.isAnyLeft ||= !isSwept;
    if (isSwept && isDeclared(unit)) this.swept.add(unit);
    else this.swept.delete(unit);
  }

  /** The longest chain is as long as there are fills. */
  private async repeat(): Promise<void> {
    for (let round = 1; round <= this.swept.size; round++) {
      const due: PlannedUnit[] = [];
      for (const unit of this.swept)
        if (await findsUnfilled(this.rounds.connection, fillOf(unit), 0)) due.push(unit);
      if (due.length === 0) return;
      for (const unit of due) await this.fill(unit, true);
    }
  }

  /** Where others have failed or stay open, rows without a value may get one once those are mended. */
  private async finish(unit: PlannedUnit): Promise<void> {
    const { connection, journalSchema } = this.rounds;
    if (this.isAnyLeft && (await findsNull(connection, fillOf(unit)))) return;
    await markFill(connection, journalSchema, markOf(unit));
  }
}

function isDeclared(unit: PlannedUnit | undefined): boolean {
  return unit !== undefined && markOf(unit).fill.expression !== null;
}

function unfinished(unit: PlannedUnit): PlannedUnit {
  return { ...unit, fills: [{ ...markOf(unit), state: 'swept' }] };
}

function fillOf(unit: PlannedUnit): Fill {
  return markOf(unit).fill;
}

function markOf({ fills: [mark] = [] }: PlannedUnit): FillMark {
  if (!mark) throw new TypeError('A unit in batches says what it fills');
  return mark;
}
