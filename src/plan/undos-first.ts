import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { displayName, groupByName, isSameName, keyOf, onlyName } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { Constraint, QualifiedName, Schema } from '../schema/model.js';
import { addedColumn, changedType, isNewTable } from './applied-step.js';
import type { Hazard } from './hazard.js';
import { foreignKeysOf, textsOf } from './made-of.js';
import { isDefaultAsLeft } from './undo-type.js';
import { isOpen, withWaiting, type Planned } from './waiting.js';

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
    objects.has(formerObject(difference)) ||
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

/** What is to be renamed, by the name that it has. */
function formerObject(difference: Difference): string {
  const { kind, table, object } = difference;
  if (table === null) return object;
  if (kind === 'renamed-column') return displayName(table.schema, table.name, difference.from);
  return kind === 'renamed-table' ? displayName(table.schema, difference.from) : object;
}

/**
 * To give a column the default again that somebody has changed by hand would end an undo that waits for somebody's word,
 * before that is given. It may be approved instead. What the entities ask for anew does end it.
 */
export function withOpenUndos(planned: readonly Planned[]): readonly Planned[] {
  const waiting = planned.flatMap(({ difference, proposal }) =>
    difference.kind === 'undo' && isOpen({ difference, proposal }) && difference.request.refusal === null
      ? [difference.request]
      : [],
  );
  if (waiting.length === 0) return planned;
  return planned.map((each) => {
    const { difference, proposal } = each;
    const undo = waiting.find((request) => isDefaultAsLeft(difference, request));
    if (!undo || typeof proposal === 'string' || proposal.approval) return each;
    return { difference, proposal: { ...proposal, hazards: [behindOpen(undo), ...proposal.hazards] } };
  });
}

function behindOpen({ runId }: UndoRequest): Hazard {
  const detail = `run ${runId} is to be taken back there as soon as somebody approves that; approve this to have it instead`;
  return { kind: 'undecided', detail };
}

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
