import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { isTemporaryIndex } from '../schema/temporary-names.js';
import { dropIndex, findTable } from './build-index.js';
import type { Hazard } from './hazard.js';
import { hazardIf, propose, type PlanContext, type Planner, type Proposal } from './proposal.js';
import { isTaken } from './question.js';
import { alterTable, step, tableOf } from './statements.js';
import { unit, type Step } from './step.js';

/**
 * The same under another name is the same; a rename touches the catalog alone. Enum types keep their names: several may
 * stand for one, or one for several.
 */
export const planName: Planner<'named-differently'> = (difference, context) => {
  if (difference.is === 'enum') return 'accepted';
  if (isTemporaryIndex(difference.found)) return finishReplacing(difference, context);
  if (context.names === 'accept') return 'accepted';
  return propose([unit('name', rename(difference))], [nameTaken(difference, context)]);
};

/** A run died between building an index and giving it its name: the one that it replaces may still be there. */
function finishReplacing(difference: Difference<'named-differently'>, context: PlanContext): Proposal {
  const { wanted } = difference;
  const old = findTable(context.actual.tables, tableOf(difference))?.indexes.find(
    ({ name }) => name === wanted,
  );
  const units = [...(old ? [dropIndex(difference, old, context)] : []), unit('index', rename(difference))];
  return propose(units, old ? [] : [nameTaken(difference, context)]);
}

function rename(difference: Difference<'named-differently'>): Step {
  const { is, wanted, found } = difference;
  const name = quoteIdentifier(wanted);
  if (is === 'constraint')
    return alterTable(
      difference,
      'rename constraint',
      `RENAME CONSTRAINT ${quoteIdentifier(found)} TO ${name}`,
    );
  const index = quoteQualified({ schema: tableOf(difference).schema, name: found });
  return step(difference, 'rename index', `ALTER INDEX ${index} RENAME TO ${name}`, 'SHARE UPDATE EXCLUSIVE');
}

function nameTaken(difference: Difference<'named-differently'>, { ask }: PlanContext): Hazard | null {
  const { wanted } = difference;
  const taken = ask(isTaken(tableOf(difference), wanted));
  return hazardIf(taken, 'undecided', `the name ${wanted} is taken by something else`);
}
