import type { Difference } from '../drift/drift-kind.js';
import { isSameName } from '../schema/identifier.js';
import { readsColumn } from '../schema/identifiers-in.js';

/**
 * New columns that are added after others and after changes of types, as they are generated from those: PostgreSQL changes no
 * type of a column that one reads. Their names, by their objects.
 */
export type LateColumns = ReadonlyMap<string, string>;

export function lateColumnsIn(differences: readonly Difference[]): LateColumns {
  const changes = differences.filter(
    (each) => each.kind === 'different-type' || each.kind === 'missing-column',
  );
  const added = differences.filter((each) => each.kind === 'missing-column');
  const late = added.filter(
    ({ wanted, table }) =>
      wanted.generated !== null &&
      changes.some(
        (change) =>
          change.table !== null &&
          table !== null &&
          isSameName(change.table, table) &&
          readsColumn(wanted.expression ?? '', change.wanted.name, null),
      ),
  );
  return new Map(late.map(({ object, wanted }) => [object, wanted.name]));
}
