import type { Difference } from '../drift/drift-kind.js';
import type { Hazard, HazardKind } from './hazard.js';
import type { Proposal, Settled } from './proposal.js';
import { tableName } from './split.js';

type Rename = Difference<'renamed-table' | 'renamed-column'>;

export function renamesIn(differences: readonly Difference[]): Rename[] {
  return differences.filter(
    (each): each is Rename => each.kind === 'renamed-table' || each.kind === 'renamed-column',
  );
}

/** The objects whose renames a difference presumes: what the comparison says, and for fills, which it does not know. */
export function presumedBy(difference: Difference, renames: readonly Rename[]): readonly string[] {
  if (difference.kind !== 'unfilled-column') return difference.presumes ?? [];
  const objects = [difference.object, tableName(difference)];
  return renames.map(({ object }) => object).filter((object) => objects.includes(object));
}

/** The objects whose rename is not made unattended, and whether that is only until an older release has gone. */
export function renamesThatWait(
  renames: readonly Rename[],
  proposalOf: (difference: Difference) => Proposal | Settled,
): ReadonlyMap<string, HazardKind> {
  const waiting = new Map<string, HazardKind>();
  for (const rename of renames) {
    const proposal = proposalOf(rename);
    if (typeof proposal === 'string' || proposal.hazards.length === 0) continue;
    const isPassing = proposal.hazards.every(({ kind }) => kind === 'older-release');
    waiting.set(rename.object, isPassing ? 'older-release' : 'undecided');
  }
  return waiting;
}

/** What would be done to an object under a name that it does not have yet waits for it. */
export function withPresumed(
  proposal: Proposal | Settled,
  presumes: readonly string[],
  waiting: ReadonlyMap<string, HazardKind>,
): Proposal | Settled {
  if (typeof proposal === 'string') return proposal;
  const awaited = presumes.flatMap((object): Hazard[] => {
    const kind = waiting.get(object);
    return kind ? [{ kind, detail: `it waits until ${object} has its new name` }] : [];
  });
  return { ...proposal, hazards: [...awaited, ...proposal.hazards] };
}
