import { isSameName } from '../schema/identifier.js';
import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { addedConstraint, builtIndex, givenName, type GivenName } from './applied-step.js';

/** What has to be taken back before a name, as objects: it could not be found under the old one. */
export function undoneBefore(difference: Difference): readonly string[] {
  if (difference.kind !== 'undo') return [];
  const { request, siblings } = difference;
  return siblings.filter((later) => bearsNameOf(later, request)).map(({ object }) => object);
}

/** Whether a step was taken under a name that an earlier one has given. */
export function bearsNameOf(later: UndoRequest, earlier: UndoRequest): boolean {
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
