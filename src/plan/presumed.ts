import type { Difference } from '../drift/drift-kind.js';
import { displayName, isSameName } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { Hazard } from './hazard.js';
import type { Proposal, Settled } from './proposal.js';

export type Rename = Difference<'renamed-table' | 'renamed-column'>;

export function isRename(difference: Difference): difference is Rename {
  return difference.kind === 'renamed-table' || difference.kind === 'renamed-column';
}

export function renamesIn(differences: readonly Difference[]): Rename[] {
  return differences.filter(isRename);
}

/** The objects whose renames a difference presumes: what the comparison says, and for fills, which it does not know. */
export function presumedBy(difference: Difference, renames: readonly Rename[]): readonly string[] {
  if (difference.kind !== 'unfilled-column') return difference.presumes ?? [];
  return renames.filter((rename) => isReadBy(difference, rename)).map(({ object }) => object);
}

/** The column itself, its table, or what its values are made from. */
function isReadBy({ object, fill }: Difference<'unfilled-column'>, rename: Rename): boolean {
  const isInText = mentions(`${fill.expression} ${fill.where}`, rename.to);
  if (rename.kind === 'renamed-table')
    return rename.object === displayName(fill.table.schema, fill.table.name) || isInText;
  const isOfTable = rename.table !== null && isSameName(rename.table, fill.table);
  return rename.object === object || (isOfTable && isInText);
}

/** The objects whose rename is not made unattended, and whether that is only until an older release has gone. */
export function renamesThatWait(
  renames: readonly Rename[],
  proposalOf: (difference: Difference) => Proposal | Settled,
): ReadonlyMap<string, Hazard> {
  const waiting = new Map<string, Hazard>();
  for (const rename of renames) {
    const proposal = proposalOf(rename);
    if (typeof proposal === 'string' || proposal.hazards.length === 0) continue;
    waiting.set(rename.object, hazardOfWaiting(rename, proposal.hazards));
  }
  return waiting;
}

/** What builds on a rename waits no longer than it does. */
export function hazardOfWaiting({ object, conflict }: Rename, hazards: readonly Hazard[]): Hazard {
  const isPassing = hazards.every(({ kind }) => kind === 'older-release');
  const detail =
    conflict === null
      ? `it waits until ${object} has its new name`
      : `it waits until it is clear what ${object} was called before`;
  return { kind: isPassing ? 'older-release' : 'waits', detail };
}

/** What would be done to an object under a name that it does not have yet waits for it. */
export function withPresumed(
  proposal: Proposal | Settled,
  presumes: readonly string[],
  waiting: ReadonlyMap<string, Hazard>,
): Proposal | Settled {
  if (typeof proposal === 'string') return proposal;
  const awaited = presumes.flatMap((object) => waiting.get(object) ?? []);
  return { ...proposal, hazards: [...awaited, ...proposal.hazards] };
}
