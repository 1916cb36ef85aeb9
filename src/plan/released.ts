import type { Difference } from '../drift/drift-kind.js';
import { isSameName } from '../schema/identifier.js';
import type { Constraint, QualifiedName } from '../schema/model.js';
import type { ReleasedKey } from './obstacles.js';
import { planExtraForeignKey } from './plan-extras.js';
import type { Proposal } from './proposal.js';
import { tableOf } from './statements.js';

/** The foreign keys that somebody has given up: they go before what they hold on to. */
export function releasedIn(
  differences: readonly Difference[],
  consented: (difference: Difference, proposal: Proposal) => Proposal,
): ReleasedKey[] {
  return differences.flatMap((difference) => {
    // One that waits for a rename stays for now.
    if (difference.kind !== 'extra-constraint' || difference.presumes?.length) return [];
    const { found } = difference;
    if (found.type !== 'foreign-key') return [];
    const { approval } = consented(difference, planExtraForeignKey(difference));
    return approval ? [{ table: tableOf(difference), name: found.name }] : [];
  });
}

export function isReleased(
  table: QualifiedName,
  { name }: Constraint,
  released: readonly ReleasedKey[],
): boolean {
  return released.some((key) => key.name === name && isSameName(key.table, table));
}
