import { keyOf } from '../schema/identifier.js';
import type { Hazard } from './hazard.js';
import { foreignKeysOf, isOpen, type Planned } from './waiting.js';

/**
 * What is found about a table on which something is about to be taken back may be gone then, or be pinned: it is looked at
 * again after that, in the same run.
 */
export function withUndosFirst(planned: readonly Planned[]): readonly Planned[] {
  const isGoing = (each: Planned): boolean => typeof each.proposal !== 'string' && !isOpen(each);
  const undos = planned.filter((each) => each.difference.kind === 'undo' && isGoing(each));
  const tables = new Set(undos.flatMap(({ difference: { table } }) => (table ? [keyOf(table)] : [])));
  return planned.map((each) => {
    const { difference, proposal } = each;
    const targets = foreignKeysOf(difference).map(({ references }) => references);
    const isOn = [difference.table, ...targets].some((table) => table && tables.has(keyOf(table)));
    if (typeof proposal === 'string' || difference.kind === 'undo' || !isOn || !isGoing(each)) return each;
    if (proposal.isExtra && !proposal.approval) return each;
    return { difference, proposal: { ...proposal, hazards: [BEHIND_UNDO] } };
  });
}

const BEHIND_UNDO: Hazard = {
  kind: 'waits',
  detail: 'something of its table is being taken back; it is looked at again after that',
};
