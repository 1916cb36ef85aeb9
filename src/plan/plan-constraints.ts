import { displayName, quoteIdentifier } from '../schema/identifier.js';
import type { Constraint } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import type { Hazard } from './hazard.js';
import { obstaclesOfKey } from './obstacles.js';
import { needsCreate, needsReferences } from './privileges.js';
import { isReleased } from './released.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { findTable, hazardOfConcurrentBuild } from './build-index.js';
import { hazardOfParts, indexInParts, keyInParts } from './plan-partitions.js';
import { keyHazards, keyUnits } from './plan-keys.js';
import { alterTable, dropConstraint, referencedBy, tableOf } from './statements.js';
import { hasIndex, hazardOfNames } from './taken-names.js';
import { unit, type LockMode, type Phase, type Step, type Unit } from './step.js';
import { violationOf } from './violations.js';

type Adding = Difference<'missing-constraint' | 'different-constraint'>;

export const planMissingConstraint: Planner<'missing-constraint'> = (difference, context) => {
  return propose(addUnits(difference, context, []), hazardsOfAdding(difference, context));
};

/**
 * The old and the new one change places in one transaction. A primary key of the same columns in another order keeps the
 * same promise: it is not worth a lock.
 */
export const planDifferentConstraint: Planner<'different-constraint'> = (difference, context) => {
  const { wanted, found } = difference;
  if (isSameKey(wanted, found)) return 'accepted';
  const drop = dropConstraint(difference);
  const hazards = [reliance(difference, context), ...hazardsOfAdding(difference, context)];
  const proposal = propose(addUnits(difference, context, [drop]), hazards);
  if (found.type !== 'primary-key') return proposal;
  return { ...proposal, obstacles: obstaclesOfKey(tableOf(difference), found.name, context.released) };
};

/** PostgreSQL refuses to drop a key that a foreign key points to. */
function reliance(
  difference: Difference<'different-constraint'>,
  { actual, released }: PlanContext,
): Hazard | null {
  const { found } = difference;
  if (found.type === 'primary-key') {
    const detail = 'the primary key would change; foreign keys and the application may rely on the old one';
    return { kind: 'undecided', detail };
  }
  if (found.type !== 'unique') return null;
  const { schema, name } = tableOf(difference);
  const isSame = ({ references }: Constraint): boolean =>
    references?.schema === schema &&
    references.name === name &&
    keyOf(references.columns) === keyOf(found.columns);
  const relying = actual.tables.flatMap((table) =>
    table.constraints
      .filter((key) => isSame(key) && !isReleased(table, key, released))
      .map((key) => displayName(table.schema, table.name, key.name)),
  );
  const detail = `${relying.join(', ')} points to it; drop that foreign key first, the next run makes it anew`;
  return hazardIf(relying.length > 0, 'waits', detail);
}

function isSameKey(wanted: Constraint, found: Constraint): boolean {
  const withoutOrder = ({ type, columns, definition }: Constraint): string =>
    JSON.stringify([type, columns.toSorted(), definition.slice(definition.lastIndexOf(')'))]);
  return wanted.type === 'primary-key' && withoutOrder(wanted) === withoutOrder(found);
}

/** A key that is not valid is one of a partitioned table, which some partition lacks. */
export const planUnvalidatedConstraint: Planner<'unvalidated-constraint'> = (difference, context) => {
  const { found } = difference;
  const key = keyInParts(found);
  const table = findTable(context.actual.tables, tableOf(difference));
  if (key && table)
    return propose(indexInParts(difference, table, key, true), [
      violationOf(tableOf(difference), found, context),
      hazardOfParts(table, key),
      hazardOfConcurrentBuild(context),
    ]);
  return propose([validation(difference, found)], [violationOf(tableOf(difference), found, context)]);
};

/** Only a superuser may enable the triggers of a foreign key, and rows from meanwhile may violate it. */
export const planDisabledConstraint: Planner<'disabled-constraint'> = (difference) => {
  const { found } = difference;
  const detail = `the server does not enforce it: look for rows that violate it, then drop ${found.name} and let it be made anew, or let a superuser enable its triggers`;
  return propose([], [{ kind: 'undecided', detail }]);
};

/** A temporary check of a run that died. It refuses NULLs, which nobody has asked for any more. */
export const planLeftoverConstraint: Planner<'leftover-constraint'> = (difference) => {
  const clause = `DROP CONSTRAINT IF EXISTS ${quoteIdentifier(difference.found.name)}`;
  return propose([unit('constraint', alterTable(difference, 'drop the temporary check', clause))]);
};

function addUnits(difference: Adding, context: PlanContext, before: Step[]): Unit[] {
  const { wanted } = difference;
  const ofIndex = keyUnits(difference, context, before);
  if (ofIndex) return ofIndex;
  const later = context.execution === 'online' && canBeValidatedLater(difference, wanted, context);
  const clause = `ADD CONSTRAINT ${quoteIdentifier(wanted.name)} ${wanted.definition}${later ? ' NOT VALID' : ''}`;
  const add = alterTable(difference, `add ${wanted.type.replace('-', ' ')}`, clause, {
    lock: lockOf(wanted),
    scans: !later,
    alsoLocks: referencedBy(wanted),
  });
  const units = [unit(phaseOf(wanted, context), ...before, add)];
  return later ? [...units, validation(difference, wanted)] : units;
}

/** Reads the table under a lock that lets everybody read and write. */
function validation(difference: Difference, { name }: Constraint): Unit {
  const clause = `VALIDATE CONSTRAINT ${quoteIdentifier(name)}`;
  return unit(
    'validation',
    alterTable(difference, 'validate', clause, { lock: 'SHARE UPDATE EXCLUSIVE', scans: true }),
  );
}

/** A foreign key of a partitioned table can be NOT VALID from PostgreSQL 18 on. */
const PARTITIONED_NOT_VALID_SINCE = 180000;

function canBeValidatedLater(difference: Difference, { type }: Constraint, { actual }: PlanContext): boolean {
  if (type === 'check') return true;
  if (type !== 'foreign-key') return false;
  const { schema, name } = tableOf(difference);
  const table = actual.tables.find((each) => each.schema === schema && each.name === name);
  return table?.kind !== 'partitioned table' || actual.serverVersion >= PARTITIONED_NOT_VALID_SINCE;
}

function lockOf({ type }: Constraint): LockMode {
  return type === 'foreign-key' ? 'SHARE ROW EXCLUSIVE' : 'ACCESS EXCLUSIVE';
}

export function phaseOf({ type, references }: Constraint, context: PlanContext): Phase {
  if (type === 'check') return 'constraint';
  if (!references) return 'key';
  return keyIsStillToCome(references, context) ? 'late-foreign-key' : 'foreign-key';
}

/** A table that is not there yet comes with its keys. */
function keyIsStillToCome(
  { schema, name, columns }: NonNullable<Constraint['references']>,
  { actual }: PlanContext,
): boolean {
  const target = actual.tables.find((table) => table.schema === schema && table.name === name);
  if (!target) return false;
  const wanted = keyOf(columns);
  const keys = [
    ...target.constraints.filter(({ type }) => type === 'primary-key' || type === 'unique'),
    ...target.indexes.filter(({ unique, predicate, valid }) => unique && predicate === null && valid),
  ].map((key) => ('columns' in key ? key.columns : key.uniqueKeys));
  return !keys.some((key) => keyOf(key) === wanted);
}

function keyOf(columns: readonly string[]): string {
  return columns.toSorted().join('\0');
}

function hazardsOfAdding(difference: Adding, context: PlanContext): (Hazard | null)[] {
  const { wanted } = difference;
  const table = tableOf(difference);
  const waits =
    context.execution === 'atomic' ||
    canBeValidatedLater(difference, wanted, context) ||
    keyUnits(difference, context, []) !== null;
  const blocks = !waits && mayBeLarge(table, context);
  const detail = 'it is checked under a lock that stops the application, and the table is large';
  return [
    needs(difference, wanted, context),
    hasIndex(wanted) ? hazardOfNames(table.schema, [wanted.name], table, context) : null,
    // A unique index that is there leaves nothing to ask.
    wanted.type === 'unique' && difference.spare ? null : violationOf(table, wanted, context),
    hazardIf(blocks, 'blocks', detail),
    ...keyHazards(difference, context),
  ];
}

/** What the role needs besides the table: a foreign key the other table, one with an index a place for it. */
function needs(
  difference: Difference,
  { type, references }: Constraint,
  context: PlanContext,
): Hazard | null {
  if (references) return needsReferences(references, context);
  return type === 'check' ? null : needsCreate(tableOf(difference).schema, context);
}
