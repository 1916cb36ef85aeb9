import type { Difference } from '../drift/drift-kind.js';
import { enclosed, hasValue, isRefused, type Fill } from '../drift/fill.js';
import { displayName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Hazard } from './hazard.js';
import { describeHidden, hidesRows } from './privileges.js';
import { hazardIf, propose, type PlanContext, type Planner } from './proposal.js';
import { mayUpdate } from './question.js';
import { step } from './statements.js';
import { batchesUnit, fillingUnit } from './step.js';

type Unfilled = Difference<'unfilled-column'>;

/** Online in small batches, else in one statement. Values that are there are never overwritten. */
export const planUnfilledColumn: Planner<'unfilled-column'> = (difference, context) => {
  const { fill, isFinal, isUnsure = false } = difference;
  const update = step(difference, 'fill', updateOf(fill), 'ROW EXCLUSIVE');
  // Batches ask for rows without a value once they have ended; a single statement is asked nothing.
  const units =
    context.execution === 'online'
      ? [batchesUnit({ fill, state: isFinal ? 'done' : 'swept', isUnsure }, update)]
      : [fillingUnit('fill', [{ fill, state: isFinal && !isUnsure ? 'done' : 'swept' }], [update])];
  return propose(units, hazardsOf(difference, context));
};

/** Whether the same plan fills it. */
export function isFilled(difference: Unfilled, context: PlanContext): boolean {
  return hazardsOf(difference, context).length === 0;
}

function hazardsOf(difference: Unfilled, context: PlanContext): Hazard[] {
  const { fill, record } = difference;
  const { table } = fill;
  const may = context.ask(mayUpdate(table));
  const hidden = `${describeHidden(table)}, or fill them by hand and take the backfill away`;
  return [
    hazardIf(may === false, 'needs-privilege', `needs UPDATE on ${displayName(table.schema, table.name)}`),
    hazardIf(hidesRows(table, context), 'needs-privilege', hidden),
    hazardIf(record !== null && isRefused(record), 'violated', describeFailure(difference)),
  ].filter((hazard) => hazard !== null);
}

/** All rows at once: what the batches do in small parts. */
export function updateOf(fill: Fill): string {
  const column = quoteIdentifier(fill.column);
  const value = fill.expression === null ? 'DEFAULT' : enclosed(fill.expression);
  return `UPDATE ${quoteQualified(fill.table)} SET ${column} = ${value} WHERE ${hasValue(fill, column)}`;
}

function describeFailure({ record }: Unfilled): string {
  if (!record) return '';
  const rows = record.failed === 1 ? 'row' : 'rows';
  return `${record.failed} ${rows} could not be filled (${record.sampleKeys.join('; ')}): ${record.error}; mend them or the expression. They are tried again after an hour`;
}
