import type { Difference, DriftKind } from '../drift/drift-kind.js';
import type { Schema } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import type { Question } from './question.js';
import type { Unit } from './step.js';

/** How a plan is to be carried out. */
export type Execution = 'online' | 'atomic';

/** What a planner may know. */
export interface PlanContext {
  readonly execution: Execution;
  readonly actual: Schema;
  /** Undefined where the answer is not known. */
  readonly ask: (question: Question) => boolean | undefined;
}

/** What would be done about a difference, and what speaks against doing it unattended. */
export interface Proposal {
  readonly units: readonly Unit[];
  readonly hazards: readonly Hazard[];
}

export type Planner<Kind extends DriftKind> = (
  difference: Difference<Kind>,
  context: PlanContext,
) => Proposal;

export function propose(units: readonly Unit[], hazards: readonly (Hazard | null)[] = []): Proposal {
  return { units, hazards: hazards.filter((hazard) => hazard !== null) };
}

/** A hazard if the condition is known to hold; what is not known is tried, as every unit can be rolled back. */
export function hazardIf(
  condition: boolean | undefined,
  kind: Hazard['kind'],
  detail: string,
): Hazard | null {
  return condition ? { kind, detail } : null;
}
