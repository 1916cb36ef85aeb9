import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier } from '../schema/identifier.js';
import { temporaryCheckName } from '../schema/temporary-names.js';
import type { Execution } from './proposal.js';
import { alterColumn, alterTable } from './statements.js';
import { unit, type Phase, type Unit } from './step.js';

/**
 * SET NOT NULL reads the whole table under ACCESS EXCLUSIVE, unless a valid check proves the same; and a check is
 * validated under a lock that lets reads and writes go on.
 * https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL
 */
export function concurrentFriendlyNotNull(
  difference: Difference<'different-nullability'>,
  execution: Execution,
  phase: Phase,
): Unit[] {
  const { name } = difference.wanted;
  const set = alterColumn(difference, name, 'set not null', 'SET NOT NULL', {
    scans: execution === 'atomic',
  });
  if (execution === 'atomic') return [unit(phase, set)];
  const check = quoteIdentifier(temporaryCheckName(difference.object));
  const drop = alterTable(difference, 'drop the temporary check', `DROP CONSTRAINT IF EXISTS ${check}`);
  const addClause = `ADD CONSTRAINT ${check} CHECK (${quoteIdentifier(name)} IS NOT NULL) NOT VALID`;
  const validate = alterTable(difference, 'validate the temporary check', `VALIDATE CONSTRAINT ${check}`, {
    lock: 'SHARE UPDATE EXCLUSIVE',
    scans: true,
  });
  return [
    // A run that died may have left its check behind.
    unit(phase, drop, alterTable(difference, 'add a temporary check', addClause)),
    { ...unit(phase, validate), cleanup: drop.sql },
    unit(phase, set, drop),
  ];
}
