import type { Difference } from '../drift/drift-kind.js';
import { displayName } from '../schema/identifier.js';
import type { Constraint, Index, QualifiedName } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext, type Proposal } from './proposal.js';
import { planType } from './plan-types.js';
import { isPredicateTrue } from './question.js';
import { isViolated } from './violations.js';

/** The columns whose types will not be changed unattended. */
export function openTypesOf(
  differences: readonly Difference[],
  context: Omit<PlanContext, 'openTypes'>,
  consented: (difference: Difference, proposal: Proposal) => Proposal,
): ReadonlySet<string> {
  const isOpen = (difference: Difference): boolean => {
    if (difference.kind !== 'different-type') return false;
    const proposal = planType(difference, { ...context, openTypes: new Set() });
    return typeof proposal !== 'string' && consented(difference, proposal).hazards.length > 0;
  };
  return new Set(differences.filter(isOpen).map(({ object }) => object));
}

/**
 * A check or foreign key is written for the types that the columns should have. With those that they have it may mean
 * nothing to PostgreSQL: it is not tried then, as in one transaction its failure would take all the rest along.
 */
export function constraintWaits(
  table: QualifiedName,
  constraint: Constraint,
  { openTypes, newColumns, ask }: PlanContext,
): Hazard | null {
  const { type, columns, references } = constraint;
  if (openTypes.size === 0 || (type !== 'check' && type !== 'foreign-key')) return null;
  const named = (of: QualifiedName, names: readonly string[]): string[] =>
    names.map((name) => displayName(of.schema, of.name, name));
  const mentioned = [...named(table, columns), ...(references ? named(references, references.columns) : [])];
  const question = isViolated(table, constraint, newColumns);
  return waits(
    mentioned.find((column) => openTypes.has(column)),
    question === null ? undefined : ask(question),
  );
}

/** The same for the predicate of an index. */
export function indexWaits(table: QualifiedName, { predicate }: Index, context: PlanContext): Hazard | null {
  if (predicate === null) return null;
  const prefix = `${displayName(table.schema, table.name)}.`;
  const column = [...context.openTypes].find((each) => each.startsWith(prefix));
  return column === undefined ? null : waits(column, context.ask(isPredicateTrue(table, predicate)));
}

/** What the server could answer with the types that are there, it can also build with them. */
function waits(column: string | undefined, answer: boolean | undefined): Hazard | null {
  return hazardIf(
    column !== undefined && answer === undefined,
    'undecided',
    `it is written for another type than ${column} has`,
  );
}
