import type { Difference } from '../drift/drift-kind.js';
import { displayName, quoteQualified } from '../schema/identifier.js';
import { mentions } from '../schema/identifiers-in.js';
import type { QualifiedName, Table } from '../schema/model.js';
import type { Dependant, Dependants } from './dependants.js';
import type { Hazard } from './hazard.js';
import { needsOwnership } from './privileges.js';
import { hazardIf, mayBeLarge, type PlanContext } from './proposal.js';
import { step } from './statements.js';
import type { Step } from './step.js';

/** What is done to views around a change that PostgreSQL refuses below them. */
export interface Remaking {
  /** Those that build on others first. */
  readonly drops: readonly Step[];
  /** In the opposite order, each with what it had. */
  readonly creates: readonly Step[];
  readonly hazards: readonly (Hazard | null)[];
}

/**
 * Views are dropped and made anew in the transaction of the change, so that nobody ever misses one.
 *
 * @param desired the views that entities ask for: no other can be made, as nobody knows what it is for
 */
export function remakeViews(
  difference: Difference,
  { views, obstacles }: Dependants,
  desired: readonly Table[],
  context: PlanContext,
): Remaking {
  const find = (tables: readonly Table[], { schema, name, kind }: Dependant): Table | undefined =>
    tables.find((table) => table.schema === schema && table.name === name && table.kind === kind);
  // One that shows a column that is still to come is replaced once that is there.
  const isEarly = ({ definition }: Table): boolean =>
    [...context.lateColumns.values()].some((column) => mentions(definition ?? '', column));
  const wantedOf = (view: Dependant): Table | undefined => {
    const wanted = find(desired, view);
    return wanted && isEarly(wanted) ? find(context.actual.tables, view) : wanted;
  };
  const unknown = views.filter((view) => !wantedOf(view)).map((view) => `${view.kind} ${nameOf(view)}`);
  const large = views.filter((view) => view.kind === 'materialized view' && mayBeLarge(view, context));
  return {
    drops: views.toReversed().map((view) => drop(difference, view)),
    creates: views.flatMap((view) => {
      const wanted = wantedOf(view);
      return wanted ? [...createView(difference, wanted), ...keep(difference, view, wanted)] : [];
    }),
    hazards: [
      // A fact: nobody's word lets PostgreSQL change what stands below it.
      hazardIf(
        obstacles.length > 0,
        'waits',
        `${dependOnIt(obstacles)}, and PostgreSQL refuses to change what that reads; drop it first, or change both by hand`,
      ),
      hazardIf(
        unknown.length > 0,
        'undecided',
        `${dependOnIt(unknown)} and would be lost, as no entity asks for it; drop it first, or change both by hand`,
      ),
      hazardIf(
        large.length > 0 && context.execution === 'online',
        'blocks',
        `${large.map(nameOf).join(', ')} is large, and nobody could read it while it is filled anew`,
      ),
      ...views.map((view) => needsOwnership(view, view.owned)),
    ],
  };
}

export function createView(difference: Difference, wanted: Table): Step[] {
  const sql = `CREATE ${wanted.kind.toUpperCase()} ${quoteQualified(wanted)} AS ${selectOf(wanted)}`;
  return [step(difference, `create ${wanted.kind}`, sql, 'NONE')];
}

export function selectOf({ definition }: Table): string {
  return (definition ?? '').trim().replace(/;$/, '');
}

function drop(difference: Difference, view: Dependant): Step {
  const sql = `DROP ${view.kind.toUpperCase()} ${quoteQualified(view)}`;
  const table = { schema: view.schema, name: view.name };
  return step(difference, `drop ${view.kind}`, sql, 'ACCESS EXCLUSIVE', { table });
}

/** What is of a column that is gone goes with it. */
function keep(difference: Difference, { keeps }: Dependant, { columns }: Table): Step[] {
  const names = new Set(columns.map(({ name }) => name));
  return keeps
    .filter((kept) => kept.columns.every((column) => names.has(column)))
    .map(({ sql }) => step(difference, 'keep what the view had', sql, 'NONE'));
}

function dependOnIt(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'depends' : 'depend'} on it`;
}

function nameOf({ schema, name }: QualifiedName): string {
  return displayName(schema, name);
}
