import { describeIndex } from '../drift/describe.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { displayName, isSameName } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import { addedConstraint, builtIndex, isStillThere } from './applied-step.js';

type Made = Pick<UndoRequest, 'sql' | 'kind' | 'object' | 'table' | 'desired'>;

/**
 * Whether what a step has made is there, and is what it has made: an index of that name that somebody has built otherwise
 * since is his. Of columns and tables values tell, which are counted.
 */
export function isAsMade(request: Made, actual: Schema): boolean {
  if (!isStillThere(request, actual)) return false;
  const { desired, table } = request;
  const found = actual.tables.find((each) => table !== null && isSameName(each, table));
  if (desired === null || !found) return true;
  const now = textOf(request, found);
  return now === undefined || now === desired;
}

/** The text that a finding of that kind would have as the actual one; undefined where there is none to compare with. */
function textOf(request: Made, found: Table): string | null | undefined {
  const named = <Named extends { readonly name: string }>(
    all: readonly Named[],
    name: string | null | undefined,
  ): Named | undefined => all.find((each) => each.name === name);
  const column = found.columns.find(
    ({ name }) => displayName(found.schema, found.name, name) === request.object,
  );
  switch (request.kind) {
    case 'missing-view':
      return `${found.kind} ${found.definition}`;
    case 'different-type':
      return column?.type;
    case 'different-default':
      return column && (column.expression ?? 'none');
    case 'different-comment':
      return column?.comment;
    case 'different-table-comment':
      return found.comment;
    case 'missing-constraint':
    case 'different-constraint':
      return named(found.constraints, addedConstraint(request))?.definition;
    case 'missing-index':
    case 'different-index': {
      const index = named(found.indexes, builtIndex(request)?.name);
      return index && describeIndex(index);
    }
    default:
      return undefined;
  }
}
