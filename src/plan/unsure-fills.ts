import type { Difference } from '../drift/drift-kind.js';
import { isFilled } from './plan-fills.js';
import type { PlanContext } from './proposal.js';

/**
 * Nobody parses SQL for what an expression reads. So while the fill of any column stays open, what another one leaves NULL
 * may get its value once that is filled: it is not done, but swept once more then.
 */
export function withUnsureFills(differences: readonly Difference[], context: PlanContext): Difference[] {
  const isAnyOpen = differences.some((each) => each.kind === 'unfilled-column' && !isFilled(each, context));
  if (!isAnyOpen) return [...differences];
  return differences.flatMap((each): Difference[] => {
    if (each.kind !== 'unfilled-column' || each.fill.expression === null || !isFilled(each, context))
      return [each];
    // It would find the same rows at each tick.
    const isAwaiting = each.record?.state === 'swept' && each.fill.repeat === 'once';
    return isAwaiting ? [] : [{ ...each, isUnsure: true }];
  });
}
