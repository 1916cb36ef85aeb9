import type { UndoRequest } from '../drift/undo-request.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName, Schema, Table } from '../schema/model.js';
import { describeLoss } from './approval.js';
import type { Hazard } from './hazard.js';
import { lossByType, lossOfRows, lossOfValues, type Loss, type Measure } from './loss.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { step } from './statements.js';
import { loneUnit, unit, type LockMode, type Step, type Unit } from './step.js';
import { addedColumn, changedType, isNewTable, takenBack } from './undo-run.js';

/** What loses nothing is taken back; for the rest somebody is asked. */
export const planUndo: Planner<'undo'> = (difference, context) => {
  const { request } = difference;
  const { table, stepId, object } = request;
  const undoes = { stepId, object };
  const back = (sql: string, lock: LockMode): Step => step(difference, `undo ${request.action}`, sql, lock);
  const drop = table && wholeOf(request, table, context);
  if (drop) {
    const { measure, hazard } = costOf(drop.loss, context);
    const loss = { ...drop.loss, measures: measure ? [measure] : drop.loss.measures };
    const one = { ...unit('undo', back(drop.sql, 'ACCESS EXCLUSIVE')), loss, undoes };
    return propose([one], [hazard, drop.blocks]);
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

interface Drop {
  readonly sql: string;
  readonly loss: Loss;
  readonly blocks: Hazard | null;
}

/** The statement that takes values along, with how many they are. */
function wholeOf(request: UndoRequest, table: QualifiedName, context: PlanContext): Drop | null {
  const isLarge = mayBeLarge(table, context);
  const name = quoteQualified(table);
  if (isNewTable(request))
    return { sql: `DROP TABLE ${name}`, loss: lossOfRows(table, isLarge), blocks: null };
  const found = columnOf(request, context.actual);
  if (!found) return null;
  const column = quoteIdentifier(found.name);
  if (addedColumn(request) !== null)
    return {
      sql: `ALTER TABLE ${name} DROP COLUMN ${column}`,
      loss: lossOfNew(table, found, isLarge),
      blocks: null,
    };
  const type = request.actual ?? found.type;
  const target = { type, cast: `::${type}` };
  const detail = `every row is written anew under an exclusive lock, and the table is large`;
  return {
    sql: `ALTER TABLE ${name} ALTER COLUMN ${column} TYPE ${type} USING ${column}::${type}`,
    loss: lossByType(table, found, target, context.actual.serverVersion, isLarge),
    blocks: hazardIf(isLarge && context.execution === 'online', 'blocks', detail),
  };
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
