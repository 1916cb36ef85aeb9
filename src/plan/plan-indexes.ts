import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { isTemporaryIndex, temporaryIndexName } from '../schema/temporary-names.js';
import type { Index } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import { buildIndex, dropIndex, findTable, hazardOfConcurrentBuild, isConcurrent } from './build-index.js';
import type { Hazard } from './hazard.js';
import { hazardOfParts, indexInParts, tableInParts } from './plan-partitions.js';
import { needsCreate } from './privileges.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { isPointedTo } from './question.js';
import { step, tableOf } from './statements.js';
import { unit, type Unit } from './step.js';
import { hazardOfNames } from './taken-names.js';
import { duplicatesUnder } from './violations.js';

export const planMissingIndex: Planner<'missing-index'> = (difference, context) => {
  const { wanted } = difference;
  const hazards = hazardsOfBuild(difference, wanted, wanted.name, context);
  return propose(build(difference, wanted, undefined, context), hazards);
};

/** A carcass of a build that failed. While the build is still going on, it is nobody's to touch. */
export const planInvalidIndex: Planner<'invalid-index'> = (difference, context) => {
  const { wanted, found } = difference;
  const hazards = hazardsOfBuild(difference, wanted, wanted.name, context);
  return propose(build(difference, wanted, found, context), [hazardIfInProgress(found), ...hazards]);
};

/**
 * What a run of ours has left is of no use to anybody; what a REINDEX CONCURRENTLY has left neither, if the index that
 * it was to renew is there.
 */
export const planLeftoverIndex: Planner<'leftover-index'> = (difference, context) => {
  const { found, twin } = difference;
  const isSure = isTemporaryIndex(found.name) || twin !== null;
  const detail =
    'a REINDEX CONCURRENTLY has left it, and writes go on keeping it up; drop it once the index that it was to renew is there and valid';
  return propose(
    [dropIndex(difference, found, context)],
    [hazardIfInProgress(found), hazardIf(!isSure, 'undecided', detail)],
  );
};

/** The new one is built before the old one goes, so that queries are never without. */
export const planDifferentIndex: Planner<'different-index'> = (difference, context) => {
  const { wanted, found } = difference;
  const replacement = { ...wanted, name: temporaryIndexName(wanted.name) };
  const { schema } = tableOf(difference);
  const rename = `ALTER INDEX ${quoteQualified({ schema, name: replacement.name })} RENAME TO ${quoteIdentifier(wanted.name)}`;
  // A run that died may have left it half-built.
  const left = findTable(context.actual.tables, tableOf(difference))?.indexes.find(
    ({ name }) => name === replacement.name,
  );
  const units = [
    ...build(difference, replacement, left, context),
    dropIndex(difference, found, context),
    unit('index', step(difference, 'rename index', rename, 'SHARE UPDATE EXCLUSIVE')),
  ];
  const pointedTo = hazardIf(
    found.unique && context.ask(isPointedTo(tableOf(difference), found.name)),
    'waits',
    'foreign keys hold on to the old one; drop them by hand, and the next run makes both',
  );
  const hazards = hazardsOfBuild(difference, wanted, replacement.name, context);
  return propose(units, [hazardIfInProgress(left), pointedTo, ...hazards]);
};

/** @param left what bears its name already: a carcass, or on a partitioned table what is finished */
function build(difference: Difference, wanted: Index, left: Index | undefined, context: PlanContext): Unit[] {
  const table = tableInParts(difference, context);
  const isBegun = left?.definition === wanted.definition && left.unique === wanted.unique;
  const parted = { index: wanted, key: null };
  if (table && isBegun) return indexInParts(difference, table, parted, true);
  return [
    ...(left ? [dropIndex(difference, left, context)] : []),
    ...(table ? indexInParts(difference, table, parted, false) : [buildIndex(difference, wanted, context)]),
  ];
}

export function hazardIfInProgress(index: Index | undefined): Hazard | null {
  return hazardIf(index?.inProgress, 'in-progress', 'is being built right now by another session');
}

function hazardsOfBuild(
  difference: Difference,
  index: Index,
  name: string,
  context: PlanContext,
): (Hazard | null)[] {
  const table = tableOf(difference);
  const inParts = tableInParts(difference, context);
  const isLive = isConcurrent(table, context) || inParts !== undefined;
  const blocks = !isLive && context.execution === 'online' && mayBeLarge(table, context);
  return [
    needsCreate(table.schema, context),
    hazardOfNames(table.schema, [index.name], table, context),
    hazardIf(blocks, 'blocks', 'it is built under a lock that stops all writes, and the table is large'),
    index.unique ? duplicatesUnder(table, index, context) : null,
    isLive ? hazardOfConcurrentBuild(context) : null,
    inParts ? hazardOfParts(inParts, { index: { ...index, name }, key: null }) : null,
  ];
}
