import { quoteIdentifier } from '../schema/identifier.js';
import { hazardIf, propose, type Planner } from './proposal.js';
import { isExtensionAvailable, mayCreateExtension } from './question.js';
import { step } from './statements.js';
import { unit } from './step.js';

export const planMissingExtension: Planner<'missing-extension'> = (difference, { ask }) => {
  const { schema, name } = difference.wanted;
  const create = `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)} SCHEMA ${quoteIdentifier(schema)}`;
  const isAvailable = ask(isExtensionAvailable(name));
  const mayCreate = ask(mayCreateExtension(name));
  return propose(
    [unit('extension', step(difference, 'create extension', create, 'NONE'))],
    [
      hazardIf(isAvailable === false, 'needs-privilege', 'the server does not have it; install its package'),
      hazardIf(isAvailable && mayCreate === false, 'needs-privilege', 'needs a superuser to create it'),
    ],
  );
};
