import type { Difference } from '../drift/drift-kind.js';
import { onlyName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Constraint, QualifiedName } from '../schema/model.js';
import type { LockMode, Step } from './step.js';

type StepCost = Partial<Omit<Step, 'sql' | 'action'>>;

/** The table that a difference is about. Kinds that have none never come here. */
export function tableOf({ table, object }: Difference): QualifiedName {
  if (!table) throw new TypeError(`${object} belongs to no table`);
  return onlyName(table);
}

/** The tables that foreign keys point to: making one locks them, and so does dropping it. */
export function referencedBy(...constraints: readonly Constraint[]): QualifiedName[] {
  return constraints.flatMap(({ references }) => (references ? [onlyName(references)] : []));
}

/** ALTER TABLE; ACCESS EXCLUSIVE unless said otherwise. */
export function alterTable(
  difference: Difference,
  action: string,
  clause: string,
  cost: StepCost = {},
): Step {
  const table = tableOf(difference);
  return step(difference, action, `ALTER TABLE ${quoteQualified(table)} ${clause}`, 'ACCESS EXCLUSIVE', cost);
}

export function dropConstraint(difference: Difference<'different-constraint' | 'extra-constraint'>): Step {
  const { found } = difference;
  const clause = `DROP CONSTRAINT ${quoteIdentifier(found.name)}`;
  return alterTable(difference, 'drop constraint', clause, { alsoLocks: referencedBy(found) });
}

export function alterColumn(
  difference: Difference,
  column: string,
  action: string,
  clause: string,
  cost?: StepCost,
): Step {
  return alterTable(difference, action, `ALTER COLUMN ${quoteIdentifier(column)} ${clause}`, cost);
}

/** Of a column, or none. */
export function setDefault(difference: Difference<'different-default' | 'different-type'>): Step {
  const { name, expression } = difference.wanted;
  return expression === null
    ? alterColumn(difference, name, 'drop default', 'DROP DEFAULT')
    : alterColumn(difference, name, 'set default', `SET DEFAULT ${expression}`);
}

export function step(
  difference: Difference,
  action: string,
  sql: string,
  lock: LockMode,
  cost: StepCost = {},
): Step {
  const { table, object } = difference;
  const locked = table && onlyName(table);
  return { object, table: locked, sql, action, lock, alsoLocks: [], rewrites: false, scans: false, ...cost };
}
