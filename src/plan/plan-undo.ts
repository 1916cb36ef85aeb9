import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { isSameName, onlyName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { Constraint, QualifiedName } from '../schema/model.js';
import { addedColumn, addedConstraint, changedType, columnOf, isNewTable } from './applied-step.js';
import { findTable } from './build-index.js';
import type { Hazard } from './hazard.js';
import { lossOfRows, type Loss } from './loss.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { referencedBy, step } from './statements.js';
import { loneUnit, unit, type LockMode, type Step, type Unit } from './step.js';
import { builtByOthers, type OthersWork } from './undo-built.js';
import { costOf, lossOfNew } from './undo-loss.js';
import { columnsOfPart, keysTo } from './undo-order.js';
import { heldByOthers } from './undo-held.js';
import { isWhole, KINDS_OF_TYPE, takenBack } from './undo-run.js';
import { formerType, type Former } from './undo-type.js';

/** What loses nothing is taken back; for the rest somebody is asked. */
export const planUndo: Planner<'undo'> = (difference, context) => {
  const { request } = difference;
  const { table, stepId } = request;
  const undoes = { stepId, kinds: kindsUndoneWith(request) };
  const refused = [refusalOf(request)];
  const back = (sql: string, lock: LockMode): Step =>
    step(difference, `undo ${request.action}`, sql, lock, {
      alsoLocks: behindKeys(difference, context, ({ name }) => name === addedConstraint(request)),
    });
  const former = table && formerOf(difference, table, context);
  if (former) {
    const { steps, loss: of, hazards, ...along } = former;
    const { measure, hazard } = costOf(of, context);
    const loss = { ...of, measures: measure ? [measure] : of.measures };
    const held = addedColumn(request) === null ? [] : heldByOthers(request, table, context);
    const against = [hazard, ...hazards, ...held, ...refused];
    return propose([{ ...unit('undo', ...steps), loss, undoes, ...along }], against);
  }
  const undo = takenBack(request);
  if ('reason' in undo) return propose([], [{ kind: 'undecided', detail: undo.reason }]);
  const units = undo.sql.map((sql): Unit => ({ ...unitOf(sql, back), undoes }));
  if (table && /^CREATE (?:MATERIALIZED )?VIEW /.test(request.sql)) {
    const { drops, hazard, takesAlong } = builtByOthers(difference, table, null, context);
    const alone = units.map((each): Unit => ({ ...each, steps: [...drops, ...each.steps], takesAlong }));
    return propose(alone, [hazard, ...refused]);
  }
  const held = table ? heldByOthers(request, table, context) : [];
  return propose(units, [partOfWhatStays(difference, context), ...held, ...refused]);
};

function kindsUndoneWith(request: UndoRequest): readonly string[] | null {
  if (isWhole(request)) return null;
  return changedType(request) === null ? [request.kind] : KINDS_OF_TYPE;
}

/** An index or a constraint of a column that the run has added stays with it; where that goes, it goes before. */
function partOfWhatStays({ request, siblings }: Difference<'undo'>, { actual }: PlanContext): Hazard | null {
  const found = request.table && findTable(actual.tables, request.table);
  if (!found) return null;
  const columns = columnsOfPart(request, found);
  const staying = (request.madeWith ?? []).find((made) => {
    const added = addedColumn(made);
    const isAsked = siblings.some((each) => each.object === made.object && addedColumn(each) === added);
    return added !== null && columns.includes(added) && !isAsked;
  });
  return staying ? { kind: 'waits', detail: `${staying.object} was made by the same run, and stays` } : null;
}

/** It would be so again at each tick. */
function refusalOf({ refusal }: UndoRequest): Hazard | null {
  const detail = `PostgreSQL has refused it: ${refusal}. Do away with what stands in its way, then undo the run once more, or approve this`;
  return hazardIf(refusal !== null, 'undecided', detail);
}

function unitOf(sql: string, back: (sql: string, lock: LockMode) => Step): Unit {
  return sql.includes(' CONCURRENTLY ')
    ? loneUnit('undo', back(sql, 'SHARE UPDATE EXCLUSIVE'))
    : unit('undo', back(sql, 'ACCESS EXCLUSIVE'));
}

/** What takes values along, with how many they are. */
function formerOf(difference: Difference<'undo'>, table: QualifiedName, context: PlanContext): Former | null {
  const { request } = difference;
  const isLarge = mayBeLarge(table, context);
  const dropping = (clause: string, loss: Loss, isOf: (key: Constraint) => boolean): Former => {
    const alsoLocks = behindKeys(difference, context, isOf);
    const steps = [step(difference, `undo ${request.action}`, clause, 'ACCESS EXCLUSIVE', { alsoLocks })];
    return { steps, loss, hazards: [] };
  };
  const name = quoteQualified(table);
  if (isNewTable(request)) {
    const former = dropping(`DROP TABLE ${name}`, lossOfRows(table, isLarge), () => true);
    const steps = [...keysOfCircle(difference, table, context), ...former.steps];
    return withOthersWork({ ...former, steps }, builtByOthers(difference, table, null, context));
  }
  const found = columnOf(request, context.actual);
  if (!found) return null;
  if (addedColumn(request) === null) return formerType(difference, table, found, context);
  const sql = `ALTER TABLE ${name} DROP COLUMN ${quoteIdentifier(found.name)}`;
  const loss = lossOfNew(request, table, found, isLarge);
  const former = dropping(sql, loss, ({ columns }) => columns.includes(found.name));
  const steps = [...exclusionsOf(difference, table, found.name, context), ...former.steps];
  return withOthersWork({ ...former, steps }, builtByOthers(difference, table, found.name, context));
}

/** PostgreSQL takes no exclusion along whose expressions read the column: it goes by its own statement, in one transaction. */
function exclusionsOf(
  difference: Difference<'undo'>,
  table: QualifiedName,
  column: string,
  { actual }: PlanContext,
): Step[] {
  const made = difference.siblings.map(addedConstraint);
  return (findTable(actual.tables, table)?.constraints ?? [])
    .filter(
      ({ type, name, definition }) =>
        type === 'exclusion' && made.includes(name) && mentions(definition, column),
    )
    .map(({ name }) => {
      const sql = `ALTER TABLE ${quoteQualified(table)} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)}`;
      return step(difference, 'drop exclusion', sql, 'ACCESS EXCLUSIVE');
    });
}

/** In a circle of tables a key goes with the one that it points to, as that goes first. */
function keysOfCircle(
  difference: Difference<'undo'>,
  target: QualifiedName,
  { actual }: PlanContext,
): Step[] {
  const goLater = difference.later.filter(isNewTable);
  return keysTo(target, actual)
    .filter(({ table }) => goLater.some((each) => each.table && isSameName(each.table, table)))
    .map(({ table, name }) => {
      const sql = `ALTER TABLE ${quoteQualified(table)} DROP CONSTRAINT ${quoteIdentifier(name)}`;
      const cost = { table: onlyName(table), alsoLocks: [target] };
      return step(difference, 'drop foreign key', sql, 'ACCESS EXCLUSIVE', cost);
    });
}

function withOthersWork(former: Former, { drops, hazard, takesAlong }: OthersWork): Former {
  return { ...former, steps: [...drops, ...former.steps], hazards: [hazard], takesAlong };
}

/** What foreign keys of the table point to that go with what is undone. */
function behindKeys(
  { table }: Difference<'undo'>,
  { actual }: PlanContext,
  isOf: (key: Constraint) => boolean,
): QualifiedName[] {
  const constraints = (table && findTable(actual.tables, table)?.constraints) ?? [];
  return referencedBy(...constraints.filter(isOf));
}
