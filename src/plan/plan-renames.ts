import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import { needsOwnership } from './privileges.js';
import { propose, type PlanContext, type Planner, type Proposal } from './proposal.js';
import { isTaken } from './question.js';
import { alterTable, step, tableOf } from './statements.js';
import { unit, type Step } from './step.js';

export const planRenamedTable: Planner<'renamed-table'> = (difference, context) => {
  const { to } = difference;
  const rename = alterTable(difference, 'rename table', `RENAME TO ${quoteIdentifier(to)}`);
  return proposeRename(difference, context, rename, { ...tableOf(difference), name: to });
};

export const planRenamedColumn: Planner<'renamed-column'> = (difference, context) => {
  const { from, to } = difference;
  const clause = `RENAME COLUMN ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`;
  const rename = alterTable(difference, 'rename column', clause);
  return proposeRename(difference, context, rename, tableOf(difference));
};

/**
 * Rows, keys and sequences follow by themselves. What is named after the old name gets its new one in the same
 * transaction, as nobody could tell afterwards that it should.
 */
function proposeRename(
  difference: Difference<'renamed-table' | 'renamed-column'>,
  context: PlanContext,
  rename: Step,
  renamed: QualifiedName,
): Proposal {
  const { conflict, types } = difference;
  if (conflict !== null) {
    const detail = `${conflict}, so whether it is the same is not guessed; bring over what belongs together and drop or rename one, or take the former name out of the entity`;
    return propose([], [{ kind: 'undecided', detail }]);
  }
  const ofTypes = types.map(({ found, to }) =>
    step(
      difference,
      'rename type',
      `ALTER TYPE ${quoteQualified(found)} RENAME TO ${quoteIdentifier(to)}`,
      'NONE',
    ),
  );
  return propose(
    [unit('rename', rename, ...ofTypes, ...renamesOfNames(difference, renamed, context))],
    types.map(({ found }) => needsOwnership(found, found.owned)),
  );
}

/** A name that is taken by something else is left: what bears the old one is the same all the same. */
function renamesOfNames(
  difference: Difference<'renamed-table' | 'renamed-column'>,
  renamed: QualifiedName,
  { ask }: PlanContext,
): Step[] {
  const table = tableOf(difference);
  return difference.names
    .filter(({ wanted }) => ask(isTaken(table, wanted)) !== true)
    .map(({ is, wanted, found }) => {
      const index = quoteQualified({ schema: table.schema, name: found });
      const sql =
        is === 'index'
          ? `ALTER INDEX ${index} RENAME TO ${quoteIdentifier(wanted)}`
          : `ALTER TABLE ${quoteQualified(renamed)} RENAME CONSTRAINT ${quoteIdentifier(found)} TO ${quoteIdentifier(wanted)}`;
      return step(difference, `rename ${is}`, sql, 'ACCESS EXCLUSIVE');
    });
}
