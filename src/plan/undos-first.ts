import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { groupByName, isSameName, keyOf, onlyName } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { Constraint, QualifiedName, Schema } from '../schema/model.js';
import { addedColumn, changedType, isNewTable } from './applied-step.js';
import type { Hazard } from './hazard.js';
import { foreignKeysOf, isOpen, textsOf, withWaiting, type Planned } from './waiting.js';

/**
 * What is found about something that is about to be taken back may be gone then, or be pinned: it is looked at again after
 * that, in the same run.
 */
export function withUndosFirst(planned: readonly Planned[], actual: Schema): readonly Planned[] {
  const undos = planned.flatMap((each) =>
    each.difference.kind === 'undo' && isGoing(each) ? [each.difference.request] : [],
  );
  if (undos.length === 0) return planned;
  const onTable = groupByName(undos, ({ table }) => table);
  const objects = new Set(undos.map(({ object }) => object));
  const isBehind = (difference: Difference): boolean =>
    objects.has(difference.object) ||
    [difference.table, ...targetsOf(difference)].some((table) =>
      (table && onTable.get(keyOf(table)))?.some((request) => isAbout(difference, request)),
    );
  const held = planned.map((each) => {
    const { difference, proposal } = each;
    if (typeof proposal === 'string' || difference.kind === 'undo' || !isGoing(each)) return each;
    if (proposal.isExtra && !proposal.approval) return each;
    return isBehind(difference) ? { difference, proposal: { ...proposal, hazards: [BEHIND_UNDO] } } : each;
  });
  return withWaiting(held, actual);
}

const BEHIND_UNDO: Hazard = {
  kind: 'waits',
  detail: 'a run is being taken back there; it is looked at again after that',
};

function isGoing(each: Planned): boolean {
  return typeof each.proposal !== 'string' && !isOpen(each);
}

/** Whether a finding is about what an undo takes away, or changes. */
function isAbout(difference: Difference, request: UndoRequest): boolean {
  const { table } = request;
  if (table === null) return false;
  const isOn = difference.table !== null && isSameName(difference.table, table);
  const targets = targetsOf(difference).filter((target) => isSameName(target, table));
  if (isNewTable(request)) return isOn || targets.length > 0;
  const column = addedColumn(request) ?? changedType(request);
  if (column === null) return false;
  return (
    targets.some(({ columns }) => columns.includes(column)) ||
    (isOn && textsOf(difference).some((text) => mentions(text, column)))
  );
}

function targetsOf(difference: Difference): (QualifiedName & { readonly columns: readonly string[] })[] {
  const keys: readonly Constraint[] =
    difference.kind === 'missing-table' ? difference.wanted.constraints : foreignKeysOf(difference);
  return keys.flatMap(({ references }) =>
    references ? [{ ...onlyName(references), columns: references.columns }] : [],
  );
}
