import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import { hazardIf, propose, type Planner } from './proposal.js';
import { mayBeOwned } from './question.js';
import { step, tableOf } from './statements.js';
import { unit } from './step.js';

/**
 * ALTER SEQUENCE waits for those who are taking a value and keeps the next ones waiting until the commit, so that
 * nobody takes one between the look at the maximum and setval.
 * https://www.postgresql.org/docs/current/sql-altersequence.html
 */
export const planSequenceBehind: Planner<'sequence-behind'> = (difference) => {
  const { column, sequence } = difference;
  const name = quoteQualified(sequence);
  const hold = `ALTER SEQUENCE ${name} INCREMENT BY ${sequence.increment}`;
  const set = `SELECT setval(${quoteLiteral(name)}, greatest(max(${quoteIdentifier(column)}), (SELECT last_value FROM ${name}))) FROM ${quoteQualified(tableOf(difference))}`;
  return propose([
    unit(
      'column',
      step(difference, 'hold the sequence', hold, 'NONE'),
      step(difference, 'set the sequence', set, 'NONE'),
    ),
  ]);
};

export const planSequenceNearLimit: Planner<'sequence-near-limit'> = ({ sequence }) =>
  propose(
    [],
    [
      {
        kind: 'undecided',
        detail: `it will refuse inserts at ${sequence.limit}; give the column a larger type, such as bigint`,
      },
    ],
  );

export const planDetachedSequence: Planner<'detached-sequence'> = (difference, { ask }) => {
  const { wanted, sequence } = difference;
  const table = quoteQualified(tableOf(difference));
  const own = `ALTER SEQUENCE ${sequence} OWNED BY ${table}.${quoteIdentifier(wanted.name)}`;
  const cannot = ask(mayBeOwned(sequence, tableOf(difference))) === false;
  const detail = `${sequence} belongs to another column, role or schema; give the column a sequence of its own, or declare the default`;
  return propose(
    [unit('column', step(difference, 'own the sequence', own, 'NONE'))],
    [hazardIf(cannot, 'undecided', detail)],
  );
};
