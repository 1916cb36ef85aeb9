import { displayName } from '../schema/identifier.js';
import type { Column } from '../schema/model.js';
import { unfilled } from '../drift/compare-fills.js';
import { describeColumn } from '../drift/describe.js';
import type { Difference } from '../drift/drift-kind.js';
import { declaredFill, defaultFill } from '../drift/fill.js';
import { fillsItself } from './column-definition.js';
import { isFilled } from './plan-fills.js';
import { isFilledLater } from './plan-filled-later.js';
import { hidesRows } from './privileges.js';
import type { PlanContext } from './proposal.js';
import { hasRows } from './question.js';
import type { Standing } from './standing.js';
import { tableOf } from './statements.js';
import { withUnsureFills } from './unsure-fills.js';

/**
 * A column can be several differences on a table that has rows, or gets some from an older release that does not know
 * it: the column, which is added nullable and empty at once; its values, which batches fill in; its NOT NULL, which needs
 * them; and its identity, which needs NOT NULL. They stand in this order.
 */
export function splitColumns(
  differences: readonly Difference[],
  context: PlanContext,
  standing: Standing,
): Difference[] {
  const parts = differences.flatMap((difference) =>
    difference.kind === 'missing-column' ? splitColumn(difference, context, standing) : [difference],
  );
  const split = withUnsureFills(parts, context);
  const filled = new Set(
    split.flatMap((each) =>
      each.kind === 'unfilled-column' && isFilled(each, context) ? [each.object] : [],
    ),
  );
  return split
    .map((difference) =>
      difference.kind === 'different-nullability' && filled.has(difference.object)
        ? { ...difference, isFilledBefore: true }
        : difference,
    )
    .toSorted((one, other) => rankOf(one) - rankOf(other));
}

/** Only what hangs on one another has a place of its own: what is declared for rows comes before their default. */
function rankOf(difference: Difference): number {
  switch (difference.kind) {
    case 'unfilled-column':
      return difference.fill.expression === null ? 2 : 1;
    case 'different-nullability':
      return 3;
    case 'different-generation':
      return 4;
    default:
      return 0;
  }
}

function splitColumn(
  difference: Difference<'missing-column'>,
  context: PlanContext,
  { olderReleaseIsAlive }: Standing,
): Difference[] {
  const { wanted } = difference;
  const table = tableOf(difference);
  // What cannot be filled is better added whole.
  const canWait = wanted.backfill !== undefined || !hidesRows(table, context);
  const isLater = canWait && isFilledLater(wanted, context.execution);
  const begins = [
    ...(wanted.backfill ? [declaredFill(table, wanted.name, wanted.backfill)] : []),
    ...(isLater ? [defaultFill(table, wanted.name)] : []),
  ];
  const isWhole = !isLater && (!wanted.notNull || fillsItself(wanted));
  if (isWhole && begins.length === 0) return [difference];
  const mayHaveRows = context.ask(hasRows(table)) !== false;
  if (!mayHaveRows && !olderReleaseIsAlive) return [difference];
  const added = { ...difference, begins };
  if (isWhole) return [added];
  const nullable = { ...wanted, notNull: false };
  return [
    { ...added, wanted: nullable, desired: describeColumn(nullable) },
    ...(isLater ? [unfilled(defaultFill(table, wanted.name), null, true)] : []),
    ...laterFacts(difference, wanted),
  ];
}

/** What the column lacks when it has been added. */
function laterFacts({ object, table }: Difference<'missing-column'>, wanted: Column): Difference[] {
  const facts = { object, table, wanted };
  const differences: Difference[] = [];
  if (wanted.notNull)
    differences.push({ kind: 'different-nullability', ...facts, desired: 'NOT NULL', actual: null });
  if (wanted.identity !== null) {
    const found = { ...wanted, identity: null, serial: true };
    const [desired, actual] = [describeColumn(wanted), null];
    differences.push({ kind: 'different-generation', ...facts, desired, actual, found });
  }
  return differences;
}

/** For messages: the table of a difference, or the object itself where it has none. */
export function tableName({ table, object }: Difference): string {
  return table ? displayName(table.schema, table.name) : object;
}
