import { displayName } from '../schema/identifier.js';
import type { Enum, Schema } from '../schema/model.js';
import { describeEnum } from './describe.js';
import type { Difference } from './drift-kind.js';

/** Enums that only the database has are left out: types are harmless, and every extra table may have its own. */
export function compareEnums(desired: Schema, actual: Schema): Difference[] {
  return desired.enums.flatMap((wanted): Difference[] => {
    const found = actual.enums.find(({ schema, name }) => schema === wanted.schema && name === wanted.name);
    return compareEnum(wanted, found);
  });
}

function compareEnum(wanted: Enum, found: Enum | undefined): Difference[] {
  const named = {
    object: displayName(wanted.schema, wanted.name),
    table: null,
    desired: describeEnum(wanted),
  };
  if (!found) return [{ kind: 'missing-enum', ...named, actual: null, wanted }];
  const actual = describeEnum(found);
  return actual === named.desired ? [] : [{ kind: 'different-enum', ...named, actual, wanted, found }];
}
