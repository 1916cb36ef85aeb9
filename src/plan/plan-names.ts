import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { hazardIf, propose, type Planner } from './proposal.js';
import { isTaken } from './question.js';
import { alterTable, step, tableOf } from './statements.js';
import { unit } from './step.js';

/** The same under another name is the same; a rename touches the catalog alone. */
export const planName: Planner<'named-differently'> = (difference, { names, ask }) => {
  if (names === 'accept') return 'accepted';
  const { is, wanted, found } = difference;
  const table = tableOf(difference);
  const index = quoteQualified({ schema: table.schema, name: found });
  const rename =
    is === 'index'
      ? step(
          difference,
          'rename index',
          `ALTER INDEX ${index} RENAME TO ${quoteIdentifier(wanted)}`,
          'SHARE UPDATE EXCLUSIVE',
        )
      : alterTable(
          difference,
          'rename constraint',
          `RENAME CONSTRAINT ${quoteIdentifier(found)} TO ${quoteIdentifier(wanted)}`,
        );
  return propose(
    [unit('name', rename)],
    [hazardIf(ask(isTaken(table, wanted)), 'undecided', `the name ${wanted} is taken by something else`)],
  );
};
