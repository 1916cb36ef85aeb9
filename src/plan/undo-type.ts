import { isSameDefault } from '../drift/compare-columns.js';
import type { Difference } from '../drift/drift-kind.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { isSameName, printedName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { addedColumn } from './applied-step.js';
import { dependantsOfColumn, type Dependants } from './dependants.js';
import type { Hazard } from './hazard.js';
import { lossByType, type Loss } from './loss.js';
import { castTo, collationOf, tablesBehindForeignKeys } from './plan-types.js';
import { hazardIf, mayBeLarge, type PlanContext } from './proposal.js';
import { remakeViews, type Remaking } from './remake-views.js';
import { alterColumn, step } from './statements.js';
import type { Step, TakenAlong } from './step.js';
import { isWidened } from './type-change.js';

/** How something is as it was, and which values that loses. */
export interface Former {
  readonly steps: readonly Step[];
  readonly loss: Loss;
  readonly hazards: readonly (Hazard | null)[];
  /** What goes with it that it does not name. */
  readonly takesAlong?: TakenAlong;
}

/**
 * The type, with what came with it, as one: a default is of its column's type, so the new one goes before and the old one
 * comes after, and views are made anew as they are.
 */
export function formerType(
  difference: Difference<'undo'>,
  table: QualifiedName,
  column: Column,
  context: PlanContext,
): Former {
  const { request } = difference;
  const type = request.actual ?? column.type;
  const cast = castTo(type, column.type);
  const wasWidened = isWidened(type, column.type);
  const isLarge = mayBeLarge(table, context);
  const clause = `TYPE ${type}${wasWidened ? collationOf(column) : ''} USING ${quoteIdentifier(column.name)}${cast}`;
  const change = alterColumn(difference, column.name, `undo ${request.action}`, clause, {
    alsoLocks: tablesBehindForeignKeys(table, column.name, context),
    rewrites: true,
  });
  const { drops, creates, hazards } = viewsAround(difference, table, column, context);
  const detail = 'every row is written anew under an exclusive lock, and the table is large';
  return {
    steps: [
      ...drops,
      ...withFormerDefault(difference, column, change),
      ...sequenceOf(difference, column, type),
      ...creates,
    ],
    loss: lossByType(table, column, { type, cast }, context.actual.serverVersion, isLarge),
    hazards: [
      hazardIf(isLarge && context.execution === 'online', 'blocks', detail),
      defaultOfOthers(difference, column),
      ...hazards,
    ],
  };
}

function viewsAround(
  difference: Difference<'undo'>,
  table: QualifiedName,
  { name }: Column,
  context: PlanContext,
): Remaking {
  const dependants = context.fact(dependantsOfColumn(table, name)) as Dependants | undefined;
  const { views, obstacles } = dependants ?? { views: [], obstacles: [] };
  // Those that the same run has made are gone by then.
  const isGone = (view: QualifiedName): boolean =>
    difference.siblings.some(
      ({ kind, table: made }) => kind === 'missing-view' && made && isSameName(made, view),
    );
  const staying = views.filter((view) => !isGone(view));
  const gone = difference.siblings
    .map(addedColumn)
    .map((column) => `column ${column} of table ${printedName(table)}`);
  const inTheWay = obstacles.filter((obstacle) => !gone.includes(obstacle));
  return remakeViews(difference, { views: staying, obstacles: inTheWay }, context.actual.tables, context);
}

const CHANGED_DEFAULT = / ALTER COLUMN .+? (?:DROP DEFAULT|SET DEFAULT (.*))$/s;
const ADDED_DEFAULT = / ADD COLUMN .+? DEFAULT (.+?)(?: NOT NULL)?$/s;

/** The default that a column had when the run was done with it. */
function defaultLeft(
  request: UndoRequest,
  { type }: Column,
): { readonly type: string; readonly expression: string | null } {
  if (addedColumn(request) !== null)
    return { type, expression: ADDED_DEFAULT.exec(request.sql)?.[1] ?? null };
  const changes = (request.madeWith ?? [])
    .map(({ sql }) => CHANGED_DEFAULT.exec(sql))
    .filter((match) => match !== null);
  const [last] = changes.slice(-1);
  return last
    ? { type, expression: last[1] ?? null }
    : { type: request.actual ?? type, expression: request.formerDefault };
}

/** Whether a finding would give a column the default again that the run had left it with. */
export function isDefaultAsLeft(difference: Difference, request: UndoRequest): boolean {
  if (difference.kind !== 'different-default' || difference.object !== request.object) return false;
  return isSameDefault(defaultLeft(request, difference.wanted), difference.wanted);
}

/** A default that is not as the run has left it is somebody else's. */
function defaultOfOthers({ request }: Difference<'undo'>, column: Column): Hazard | null {
  if (column.generated || column.serial || request.madeWith === null) return null;
  const [now, then] = [column.expression, request.formerDefault].map((each) => each ?? 'none');
  const detail = `its default was changed since, and is ${now}; undoing it gives ${then} back; approve that, or let it be`;
  return hazardIf(!isSameDefault(defaultLeft(request, column), column), 'undecided', detail);
}

function withFormerDefault(
  difference: Difference<'undo'>,
  { name, expression, generated }: Column,
  change: Step,
): Step[] {
  const { formerDefault } = difference.request;
  if (generated) return [change];
  return [
    ...(expression === null ? [] : [alterColumn(difference, name, 'drop default', 'DROP DEFAULT')]),
    change,
    ...(formerDefault === null
      ? []
      : [alterColumn(difference, name, 'set default', `SET DEFAULT ${formerDefault}`)]),
  ];
}

/** The sequence of a serial was widened with it. */
function sequenceOf(difference: Difference<'undo'>, { serial, sequence }: Column, type: string): Step[] {
  if (!serial || !sequence) return [];
  return [
    step(difference, 'narrow the sequence', `ALTER SEQUENCE ${quoteQualified(sequence)} AS ${type}`, 'NONE'),
  ];
}
