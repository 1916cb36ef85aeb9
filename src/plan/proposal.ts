import type { Difference, DriftKind } from '../drift/drift-kind.js';
import type { QualifiedName, Schema } from '../schema/model.js';
import type { Approval } from './approval.js';
import type { Hazard } from './hazard.js';
import type { LateColumns } from './late-columns.js';
import type { NewColumns } from './new-columns.js';
import type { ReleasedKey } from './obstacles.js';
import { isLarger, type Count, type Question } from './question.js';

import type { Unit } from './step.js';

/** How a plan is to be carried out. */
export type Execution = 'online' | 'atomic';

/** accept: an object under another name than the entities' is the same. align: it is renamed. */
export type NamePolicy = 'accept' | 'align';

/** What a planner may know. */
export interface PlanContext {
  readonly execution: Execution;
  /** Tables that are to be renamed are in it by both names. */
  readonly actual: Schema;
  /** Undefined where the answer is not known. */
  readonly ask: (question: Question) => boolean | undefined;
  readonly count: (question: Count) => number | undefined;
  /** An answer of another form. */
  readonly fact: (question: Question) => unknown;
  readonly names: NamePolicy;
  /** Above this a rewrite or a scan under a strong lock is not done unattended. */
  readonly smallTableBytes: number;
  /** Foreign keys that go before all that they hold on to. */
  readonly released: readonly ReleasedKey[];
  /** What constraints are asked about as if it were there already. */
  readonly newColumns: NewColumns;
  readonly lateColumns: LateColumns;
}

/** Whether a table is too large to be read or written whole while others wait. One of unknown size counts as large. */
export function mayBeLarge(table: QualifiedName, { ask, smallTableBytes }: PlanContext): boolean {
  return ask(isLarger(table, smallTableBytes)) !== false;
}

/** What would be done about a difference, and what speaks against doing it unattended. */
export interface Proposal {
  readonly units: readonly Unit[];
  readonly hazards: readonly Hazard[];
  /** Only the database has it: nothing is done about it without somebody's word. */
  readonly isExtra?: boolean;
  /** Answers with what would refuse it, as a list of texts; asked once somebody has approved. */
  readonly obstacles?: Question;
  /** Somebody's word for exactly this. */
  readonly approval?: Approval;
  /** Why an earlier one does not hold. */
  readonly voided?: string;
  /** The one that was found not to hold by this look. */
  readonly outgrown?: Approval;
}

export type Planner<Kind extends DriftKind> = (
  difference: Difference<Kind>,
  context: PlanContext,
) => Proposal | Settled;

/** The same thing in another guise. */
export type Settled = 'accepted';

export function propose(units: readonly Unit[], hazards: readonly (Hazard | null)[] = []): Proposal {
  return { units, hazards: hazards.filter((hazard) => hazard !== null) };
}

/** What only the database has stays, unless somebody says that it is to go. */
export function proposeDrop(units: readonly Unit[], obstacles: Question | null): Proposal {
  return { units, hazards: [], isExtra: true, ...(obstacles === null ? {} : { obstacles }) };
}

/** A hazard if the condition is known to hold; what is not known is tried, as every unit can be rolled back. */
export function hazardIf(
  condition: boolean | undefined,
  kind: Hazard['kind'],
  detail: string,
): Hazard | null {
  return condition ? { kind, detail } : null;
}
