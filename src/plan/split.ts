import { displayName } from '../schema/identifier.js';
import { describeColumn } from '../drift/describe.js';
import type { Difference } from '../drift/drift-kind.js';
import { fillsItself } from './column-definition.js';
import type { PlanContext } from './proposal.js';
import { hasRows } from './question.js';
import type { Standing } from './standing.js';
import { tableOf } from './statements.js';

/**
 * A NOT NULL column that nothing fills is two differences on a table that has rows, or gets some from an older release
 * that does not know it: the column, which can be added nullable at once, and its NOT NULL, which cannot.
 */
export function splitRequiredColumns(
  differences: readonly Difference[],
  { ask }: PlanContext,
  { olderReleaseIsAlive }: Standing,
): Difference[] {
  return differences.flatMap((difference): Difference[] => {
    if (difference.kind !== 'missing-column') return [difference];
    const { wanted, object, table } = difference;
    if (!wanted.notNull || fillsItself(wanted)) return [difference];
    const mayHaveRows = ask(hasRows(tableOf(difference))) !== false;
    if (!mayHaveRows && !olderReleaseIsAlive) return [difference];
    const nullable = { ...wanted, notNull: false };
    return [
      { ...difference, wanted: nullable, desired: describeColumn(nullable) },
      { kind: 'different-nullability', object, table, desired: 'NOT NULL', actual: null, wanted },
    ];
  });
}

/** For messages: the table of a difference, or the object itself where it has none. */
export function tableName({ table, object }: Difference): string {
  return table ? displayName(table.schema, table.name) : object;
}
