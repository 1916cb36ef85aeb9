import type { Difference } from '../drift/drift-kind.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { isTemporarySequence } from '../schema/temporary-names.js';
import { columnDefinition, fillsItself, isAddedByRewrite } from './column-definition.js';
import { commentOnColumn } from './plan-tables.js';
import type { Hazard } from './hazard.js';
import { describeHidden, hidesRows } from './privileges.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { addEmpty, passingSequence, toIdentity } from './plan-filled-later.js';
import { countOfNulls, givesNull, hasNulls, hasRows, ownedSequence } from './question.js';
import { alterColumn, alterTable, setDefault, step, tableOf } from './statements.js';
import { concurrentFriendlyNotNull } from './not-null.js';
import { fillingUnit, unit } from './step.js';

/**
 * A NOT NULL column that nothing fills cannot be added to rows. It is added nullable, so that the application's SELECTs
 * work; that its NOT NULL is missing is a difference of its own (see `split.ts`).
 */
export const planMissingColumn: Planner<'missing-column'> = (difference, context) => {
  const { wanted, begins = [] } = difference;
  const table = tableOf(difference);
  const isEmpty = begins.some(({ expression }) => expression === null);
  const rewrites = !isEmpty && isAddedByRewrite(wanted);
  const add = isEmpty
    ? addEmpty(difference, context)
    : [alterTable(difference, 'add column', `ADD COLUMN ${columnDefinition(wanted)}`, { rewrites })];
  const comments = wanted.comment === null ? [] : [commentOnColumn(table, wanted.name, wanted.comment)];
  const comment = comments.map((sql) => step(difference, 'comment', sql, 'SHARE UPDATE EXCLUSIVE'));
  const marks = begins.map((fill) => ({ fill, state: 'pending' as const }));
  const blocks = rewrites && mayBeLarge(table, context);
  const detail =
    'its values differ from row to row, so adding it rewrites a large table under an exclusive lock';
  const phase = context.lateColumns.has(difference.object) ? 'late-column' : 'column';
  return propose(
    [fillingUnit(phase, marks, [...add, ...comment])],
    [hazardIf(blocks, 'blocks', detail), hazardOfGeneratedNulls(difference, context)],
  );
};

/** What a generated column would be in the rows that are there; unknown where it reads what is not there yet. */
function hazardOfGeneratedNulls(
  difference: Difference<'missing-column'>,
  context: PlanContext,
): Hazard | null {
  const { generated, notNull, expression } = difference.wanted;
  if (generated === null || !notNull || expression === null) return null;
  const wouldBeNull = context.ask(givesNull(tableOf(difference), expression));
  const detail = `it would be NULL in rows that are there: mend what it is generated from, or let it be nullable`;
  return hazardIf(wouldBeNull, 'violated', detail);
}

export const planNullability: Planner<'different-nullability'> = (difference, context) => {
  const { wanted, isFilledBefore = false } = difference;
  if (!wanted.notNull)
    return propose([unit('column', alterColumn(difference, wanted.name, 'drop not null', 'DROP NOT NULL'))]);
  // Right after the column is filled, as a key may need it.
  const phase = isFilledBefore ? 'fill' : 'not-null';
  const units = concurrentFriendlyNotNull(difference, context.execution, phase);
  if (isFilledBefore) return propose(units.map((each) => ({ ...each, isTentative: true })));
  return propose(units, [hazardOfNulls(difference, context)]);
};

function hazardOfNulls(difference: Difference<'different-nullability'>, context: PlanContext): Hazard | null {
  const { wanted, actual } = difference;
  const table = tableOf(difference);
  if (hidesRows(table, context)) {
    const detail = `${describeHidden(table)}, or approve it to have it tried: nobody knows whether they have NULL in it`;
    return { kind: 'undecided', detail };
  }
  if (actual === null) {
    const why = wanted.backfill
      ? 'its backfill stays open; see there'
      : 'nothing fills it; give it a default, declare @Backfill, or make it nullable';
    const detail = `the new column is NULL in the rows that are there and ${why}`;
    return hazardIf(context.ask(hasRows(table)) !== false, 'violated', detail);
  }
  return context.ask(hasNulls(table, wanted.name))
    ? { kind: 'violated', detail: describeNulls(table, wanted, context) }
    : null;
}

function describeNulls(
  table: QualifiedName,
  { name, backfill }: Column,
  { count }: Pick<PlanContext, 'count'>,
): string {
  if (!backfill) return 'rows have NULL in it; fill them, declare @Backfill, or make the column nullable';
  const number = count(countOfNulls(table, name));
  const rows = number === undefined ? 'rows' : `${number} ${number === 1 ? 'row' : 'rows'}`;
  return `its backfill leaves NULL in ${rows}; give its expression a value there, or make the column nullable`;
}

/** A default is of its column's type, and comes after it. Where that stays another, the new default has to wait. */
export const planDefault: Planner<'different-default'> = (difference) => {
  const { wanted, found } = difference;
  const phase = wanted.expression !== null && wanted.type !== found.type ? 'type-change' : 'column';
  return propose([unit(phase, setDefault(difference))]);
};

/** A sequence of the column's own fills it in both guises, and the application may give a value of its own. */
const isFilledBySequence = ({ serial, identity }: Column): boolean => serial || identity === 'by default';

function isPassing(owned: unknown): owned is QualifiedName {
  const { name } = (owned ?? {}) as Partial<QualifiedName>;
  return name !== undefined && isTemporarySequence(name);
}

export const planGeneration: Planner<'different-generation'> = (difference, { ask }) => {
  const { desired, actual, wanted, found } = difference;
  const table = tableOf(difference);
  if (actual === null) return propose([toIdentity(difference, passingSequence(table, wanted))]);
  const owned = wanted.identity !== null && found.serial ? ask(ownedSequence(table, wanted.name)) : undefined;
  // Left half-way by a run that died.
  if (isPassing(owned)) return propose([toIdentity(difference, owned)]);
  if (isFilledBySequence(wanted) && isFilledBySequence(found)) return 'accepted';
  const detail = `where its values come from (${actual}, wanted: ${desired}) is not changed on a column that has values`;
  return propose([], [{ kind: 'undecided', detail }]);
};

export const planCollation: Planner<'different-collation'> = ({ desired, actual }) =>
  propose(
    [],
    [
      {
        kind: 'undecided',
        detail: `changing the collation from ${actual} to ${desired} rebuilds its indexes under an exclusive lock`,
      },
    ],
  );

export const planComment: Planner<'different-comment'> = (difference) => {
  const { wanted } = difference;
  const sql = commentOnColumn(tableOf(difference), wanted.name, wanted.comment);
  return propose([unit('column', step(difference, 'comment', sql, 'SHARE UPDATE EXCLUSIVE'))]);
};

export const planRequiredExtraColumn: Planner<'required-extra-column'> = (difference) => {
  const { found } = difference;
  const detail =
    'the entities do not know it, so their inserts fail; give it a default, let it be NULL, or declare it';
  const drop = alterColumn(difference, found.name, 'drop not null', 'DROP NOT NULL');
  return propose([unit('column', drop)], [hazardIf(!fillsItself(found), 'undecided', detail)]);
};
