import type { Difference } from '../drift/drift-kind.js';
import { fillsItself } from './column-definition.js';
import type { Hazard } from './hazard.js';
import type { Disposition } from './policy.js';
import type { Standing } from './standing.js';

/**
 * Whether bringing it about makes queries fail that know nothing of it, as those of a release that was there before: a
 * column that has to be filled from now on, and by nobody but the application; or another name.
 */
export function breaksOlderRelease(difference: Difference): boolean {
  switch (difference.kind) {
    case 'renamed-table':
    case 'renamed-column':
      return true;
    case 'missing-column':
    case 'different-nullability':
      return difference.wanted.notNull && !fillsItself(difference.wanted);
    case 'different-default':
      // An older release leaves the column to its default.
      return difference.wanted.expression === null && difference.found.notNull;
    default:
      return false;
  }
}

/** What speaks against a change that another release's processes would not survive, as long as there are any. */
export function olderReleaseHazard({ olderReleaseIsAlive, olderRelease }: Standing): Hazard | null {
  if (!olderReleaseIsAlive) return null;
  return { kind: 'older-release', detail: `it would break ${olderRelease}` };
}

/** Whether a finding needs nobody, as it is only waiting for an older release to go. */
export function waitsForOlderRelease(drift: {
  readonly disposition: Disposition;
  readonly hazards: readonly Hazard['kind'][];
}): boolean {
  const { disposition, hazards } = drift;
  return disposition === 'open' && hazards.length > 0 && hazards.every((kind) => kind === 'older-release');
}
