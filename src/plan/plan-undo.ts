import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName, Schema, Table } from '../schema/model.js';
import { describeLoss } from './approval.js';
import type { Hazard } from './hazard.js';
import { lossOfRows, lossOfValues, type Loss, type Measure } from './loss.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { step } from './statements.js';
import { loneUnit, unit, type LockMode, type Step, type Unit } from './step.js';
import { addedColumn, changedType, isNewTable, takenBack } from './undo-run.js';
import { formerType, type Former } from './undo-type.js';

/** What loses nothing is taken back; for the rest somebody is asked. */
export const planUndo: Planner<'undo'> = (difference, context) => {
  const { request } = difference;
  const { table, stepId, object } = request;
  const undoes = { stepId, object };
  const back = (sql: string, lock: LockMode): Step => step(difference, `undo ${request.action}`, sql, lock);
  const former = table && formerOf(difference, table, context);
  if (former) {
    const { measure, hazard } = costOf(former.loss, context);
    const loss = { ...former.loss, measures: measure ? [measure] : former.loss.measures };
    return propose([{ ...unit('undo', ...former.steps), loss, undoes }], [hazard, ...former.hazards]);
  }
  const undo = takenBack(request);
  if ('reason' in undo) return propose([], [{ kind: 'undecided', detail: undo.reason }]);
  return propose(undo.sql.map((sql): Unit => ({ ...unitOf(sql, back), undoes })));
};

function unitOf(sql: string, back: (sql: string, lock: LockMode) => Step): Unit {
  return sql.includes(' CONCURRENTLY ')
    ? loneUnit('undo', back(sql, 'SHARE UPDATE EXCLUSIVE'))
    : unit('undo', back(sql, 'ACCESS EXCLUSIVE'));
}

/** What takes values along, with how many they are. */
function formerOf(difference: Difference<'undo'>, table: QualifiedName, context: PlanContext): Former | null {
  const { request } = difference;
  const isLarge = mayBeLarge(table, context);
  const dropping = (clause: string, loss: Loss): Former => {
    const steps = [step(difference, `undo ${request.action}`, clause, 'ACCESS EXCLUSIVE')];
    return { steps, loss, hazards: [] };
  };
  const name = quoteQualified(table);
  if (isNewTable(request)) return dropping(`DROP TABLE ${name}`, lossOfRows(table, isLarge));
  const found = columnOf(request, context.actual);
  if (!found) return null;
  if (addedColumn(request) === null) return formerType(difference, table, found, context);
  const sql = `ALTER TABLE ${name} DROP COLUMN ${quoteIdentifier(found.name)}`;
  return dropping(sql, lossOfNew(table, found, isLarge));
}

const CONSTANT = /^(?:'(?:[^']|'')*'(?:::[\w. "()[\]]+)?|-?\d+(?:\.\d+)?|true|false)$/;

/** In rows that were there a constant default is nobody's value; they have it as the column's type rounds it. */
function lossOfNew(table: QualifiedName, { name, expression, type }: Column, isLarge: boolean): Loss {
  const all = lossOfValues(table, name, isLarge);
  // Types without equality, json say, have no such question.
  if (expression === null || !CONSTANT.test(expression) || /^(json|xml|point|polygon)/.test(type)) return all;
  const column = quoteIdentifier(name);
  const count = `select count(*)::float8 from ${quoteQualified(table)} where ${column} is not null and ${column} is distinct from (${expression})::${type}`;
  return { ...all, measures: [{ what: 'values other than the default', count }] };
}

function costOf(
  { measures }: Loss,
  { count }: PlanContext,
): { readonly measure: Measure | undefined; readonly hazard: Hazard | null } {
  for (const measure of measures) {
    const lost = count(measure.count);
    if (lost === undefined) continue;
    const detail = `undoing it would lose ${describeLoss({ what: measure.what, count: lost })}, written since or filled in; approve that, or let it be`;
    return { measure, hazard: hazardIf(lost > 0, 'data-loss', detail) };
  }
  const detail = 'what undoing it would lose could not be counted in time; approve that, or let it be';
  return { measure: undefined, hazard: { kind: 'data-loss', detail } };
}

/** What somebody has taken away meanwhile is nothing to be taken back. */
export function isStillThere(request: UndoRequest, actual: Schema): boolean {
  if (isNewTable(request)) return tableOf(request, actual) !== undefined;
  const isColumn = addedColumn(request) !== null || changedType(request) !== null;
  return !isColumn || columnOf(request, actual) !== undefined;
}

function columnOf(request: UndoRequest, actual: Schema): Column | undefined {
  const wanted = addedColumn(request) ?? changedType(request);
  return tableOf(request, actual)?.columns.find(({ name }) => name === wanted);
}

function tableOf({ table }: UndoRequest, { tables }: Schema): Table | undefined {
  return tables.find(({ schema, name }) => schema === table?.schema && name === table.name);
}
