import type { Difference } from '../drift/drift-kind.js';
import { isSameName } from '../schema/identifier.js';
import { readsColumn } from '../schema/identifiers-in.js';
import type { Schema } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { isOpen, withWaiting, type Planned } from './waiting.js';

/**
 * A new column that is to be NOT NULL has a value from the start where it is generated: what it reads is filled before, in the
 * same run.
 */
export function withFillsFirst(planned: readonly Planned[], actual: Schema): readonly Planned[] {
  const fills = planned.flatMap((each) =>
    each.difference.kind === 'unfilled-column' && typeof each.proposal !== 'string' && !isOpen(each)
      ? [each.difference]
      : [],
  );
  if (fills.length === 0) return planned;
  const held = planned.map((each) => {
    const { difference, proposal } = each;
    const fill = fills.find((other) => isGeneratedFrom(difference, other));
    if (!fill || typeof proposal === 'string') return each;
    return { difference, proposal: { ...proposal, hazards: [behindFill(fill), ...proposal.hazards] } };
  });
  return withWaiting(held, actual);
}

function isGeneratedFrom(difference: Difference, { table, fill }: Difference<'unfilled-column'>): boolean {
  if (difference.kind !== 'missing-column') return false;
  const { generated, notNull, expression } = difference.wanted;
  const isOn = table !== null && difference.table !== null && isSameName(difference.table, table);
  return generated !== null && notNull && isOn && readsColumn(expression ?? '', fill.column, null);
}

function behindFill({ object }: Difference<'unfilled-column'>): Hazard {
  return { kind: 'waits', detail: `it is generated from ${object}, whose rows are filled before it` };
}
