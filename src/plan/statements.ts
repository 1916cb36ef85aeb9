import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { LockMode, Step } from './step.js';

type StepCost = Partial<Pick<Step, 'lock' | 'rewrites' | 'scans' | 'object' | 'table' | 'formerDefault'>>;

/** The table that a difference is about. Kinds that have none never come here. */
export function tableOf({ table, object }: Difference): QualifiedName {
  if (!table) throw new TypeError(`${object} belongs to no table`);
  return { schema: table.schema, name: table.name };
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
  const locked = table && { schema: table.schema, name: table.name };
  return { object, table: locked, sql, action, lock, rewrites: false, scans: false, ...cost };
}
