import { quoteIdentifier } from '../schema/identifier.js';
import { hazardIf, propose, type Planner } from './proposal.js';
import { mayCreateSchemas } from './question.js';
import { step } from './statements.js';
import { unit } from './step.js';

export const planMissingSchema: Planner<'missing-schema'> = (difference, context) =>
  propose(
    [
      unit(
        'schema',
        step(difference, 'create schema', `CREATE SCHEMA ${quoteIdentifier(difference.wanted)}`, 'NONE'),
      ),
    ],
    [hazardIf(context.ask(mayCreateSchemas) === false, 'needs-privilege', 'needs CREATE on the database')],
  );
