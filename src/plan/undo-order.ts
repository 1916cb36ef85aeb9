import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { isSameName, printedName } from '../schema/identifier.js';
import type { Constraint, QualifiedName, Schema } from '../schema/model.js';
import {
  addedColumn,
  addedConstraint,
  builtIndex,
  changedType,
  givenName,
  isNewTable,
  madeAlone,
  type GivenName,
} from './applied-step.js';

/**
 * The order in which steps are taken back: the latest first, but what PostgreSQL needs an object for goes before it. Where
 * that is a circle, the latest one begins.
 */
export function inUndoOrder(requests: readonly UndoRequest[], actual: Schema): UndoRequest[] {
  const left = [...requests];
  const ordered: UndoRequest[] = [];
  while (left.length > 0) {
    const isFree = (each: UndoRequest): boolean =>
      !left.some((other) => other !== each && waitsForUndo(each, other, actual));
    const [next] = left.splice(Math.max(0, left.findIndex(isFree)), 1);
    if (next) ordered.push(next);
  }
  return ordered;
}

/** What has to be taken back before, as objects: without it this could not be found any more, or would be refused. */
export function undoneBefore(difference: Difference, actual: Schema): readonly string[] {
  if (difference.kind !== 'undo') return [];
  const { request, siblings, later } = difference;
  return siblings
    .filter((other) => !later.includes(other) && waitsForUndo(request, other, actual))
    .map(({ object }) => object);
}

/** Whether one undo cannot be while another stays open. */
export function waitsForUndo(request: UndoRequest, open: UndoRequest, actual: Schema): boolean {
  return bearsNameOf(open, request) || needs(open, request, actual);
}

/** Whether a foreign key, a column or a table needs what an undo would take away. */
function needs(other: UndoRequest, request: UndoRequest, actual: Schema): boolean {
  if (isNewTable(request) || addedConstraint(request) !== null)
    return keysNeeding(request, actual).some((key) => isOf(other, key.table, key.columns, key.name));
  const made = madeAlone(request);
  if (made?.what === 'SCHEMA')
    return (other.table?.schema ?? madeAlone(other)?.schema) === made.name && other !== request;
  if (made?.what !== 'TYPE' || made.schema === null) return false;
  const type = printedName({ schema: made.schema, name: made.name });
  return actual.tables.some((table) =>
    table.columns.some(
      (each) => each.type.replace(/(\[\])+$/, '') === type && isOf(other, table, [each.name]),
    ),
  );
}

/** The foreign keys of other tables that need a table, or a key of it. */
function keysNeeding(request: UndoRequest, actual: Schema): readonly KeyOf[] {
  const { table } = request;
  if (table === null) return [];
  const keys = keysTo(table, actual);
  if (isNewTable(request)) return keys;
  const name = addedConstraint(request);
  const constraints = actual.tables.find((each) => isSameName(each, table))?.constraints ?? [];
  const made = constraints.find(
    (each) => each.name === name && (each.type === 'unique' || each.type === 'primary-key'),
  );
  const columns = made?.columns.toSorted().join();
  return keys.filter(({ references }) => references?.columns.toSorted().join() === columns);
}

/** Whether a step has made, or given its type, what has these columns: all of the table, a column, or the key itself. */
function isOf(step: UndoRequest, table: QualifiedName, columns: readonly string[], key?: string): boolean {
  if (!step.table || !isSameName(step.table, table)) return false;
  const column = addedColumn(step) ?? changedType(step);
  return (
    isNewTable(step) ||
    (column !== null && columns.includes(column)) ||
    (key !== undefined && addedConstraint(step) === key)
  );
}

interface KeyOf extends Constraint {
  readonly table: QualifiedName;
}

/** The foreign keys of other tables that point to one. */
export function keysTo(target: QualifiedName, { tables }: Schema): readonly KeyOf[] {
  return tables
    .filter((table) => !isSameName(table, target))
    .flatMap((table) =>
      table.constraints
        .filter(({ references }) => references && isSameName(references, target))
        .map((key) => ({ ...key, table })),
    );
}

/** Whether a step was taken under a name that an earlier one has given. */
function bearsNameOf(later: UndoRequest, earlier: UndoRequest): boolean {
  const given = givenName(earlier);
  if (given === null || Number(later.stepId) <= Number(earlier.stepId)) return false;
  const { table } = later;
  // Of a column, what was done to the column itself, and what is built on it; of a table, whatever was done to it.
  if (given.what === 'COLUMN') return later.object === earlier.object || isBuiltOn(given, later);
  if (given.what !== 'TABLE' || table === null) return false;
  return isSameName(table, { schema: given.of.schema, name: given.to });
}

/** An index or a constraint that names the column. Who waits for one more than is needed loses nothing. */
function isBuiltOn({ of, to }: GivenName, later: UndoRequest): boolean {
  const isPart = builtIndex(later) !== null || addedConstraint(later) !== null;
  return isPart && later.table !== null && isSameName(later.table, of) && later.sql.includes(to);
}
