import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';
import type { Applied } from './applied-step.js';
import { describeLoss } from './approval.js';
import type { Hazard } from './hazard.js';
import { lossOfValues, type Loss, type Measure } from './loss.js';
import { hazardIf, type PlanContext } from './proposal.js';

const CONSTANT = /^(?:'(?:[^']|'')*'(?:::[\w. "()[\]]+)?|-?\d+(?:\.\d+)?|true|false)$/;

function comesWith(addColumn: string, expression: string): boolean {
  return addColumn.replace(/ NOT NULL$/, '').endsWith(` DEFAULT ${expression}`);
}

/**
 * In rows that were there the constant default that a column came with is nobody's value; they have it as the column's type
 * rounds it. One that it got later is in rows that were written since.
 */
export function lossOfNew(
  { sql }: Applied,
  table: QualifiedName,
  { name, expression, type }: Column,
  isLarge: boolean,
): Loss {
  const all = lossOfValues(table, name, isLarge);
  if (expression === null || !CONSTANT.test(expression) || !comesWith(sql, expression)) return all;
  const column = quoteIdentifier(name);
  // As texts: json has no equality, and circles are equal whose areas are.
  const isOther = `${column}::text is distinct from ((${expression})::${type})::text`;
  const count = `select count(*)::float8 from ${quoteQualified(table)} where ${column} is not null and ${isOther}`;
  return { ...all, measures: [{ what: 'values other than the default', count }] };
}

/** What taking something back would lose, as far as it can be counted. */
export function costOf(
  { measures }: Loss,
  { count }: PlanContext,
): { readonly measure: Measure | undefined; readonly hazard: Hazard | null } {
  for (const measure of measures) {
    const lost = count(measure.count);
    if (lost === undefined) continue;
    const detail = `undoing it would lose ${describeLoss({ what: measure.what, count: lost })}, written since or filled in; approve that, or let it be`;
    return { measure, hazard: hazardIf(lost > 0, 'data-loss', detail) };
  }
  const detail = 'what undoing it would lose could not be counted; approve that, or let it be';
  return { measure: undefined, hazard: { kind: 'data-loss', detail } };
}
