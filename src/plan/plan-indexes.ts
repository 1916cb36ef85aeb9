import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { temporaryIndexName } from '../schema/temporary-names.js';
import type { Index } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import { buildIndex, dropIndex, findTable, hazardOfConcurrentBuild, isConcurrent } from './build-index.js';
import type { Hazard } from './hazard.js';
import { needsCreate } from './privileges.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { step, tableOf } from './statements.js';
import { unit } from './step.js';
import { duplicatesUnder } from './violations.js';

export const planMissingIndex: Planner<'missing-index'> = (difference, context) => {
  const { wanted } = difference;
  return propose([buildIndex(difference, wanted, context)], hazardsOfBuild(difference, wanted, context));
};

/** A carcass of a build that failed. While the build is still going on, it is nobody's to touch. */
export const planInvalidIndex: Planner<'invalid-index'> = (difference, context) => {
  const { wanted, found } = difference;
  const hazards = [hazardIfInProgress(found), ...hazardsOfBuild(difference, wanted, context)];
  return propose([dropIndex(difference, found, context), buildIndex(difference, wanted, context)], hazards);
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
    ...(left ? [dropIndex(difference, left, context)] : []),
    buildIndex(difference, replacement, context),
    dropIndex(difference, found, context),
    unit('index', step(difference, 'rename index', rename, 'SHARE UPDATE EXCLUSIVE')),
  ];
  return propose(units, [hazardIfInProgress(left), ...hazardsOfBuild(difference, wanted, context)]);
};

export function hazardIfInProgress(index: Index | undefined): Hazard | null {
  return hazardIf(index?.inProgress, 'in-progress', 'is being built right now by another session');
}

function hazardsOfBuild(difference: Difference, index: Index, context: PlanContext): (Hazard | null)[] {
  const table = tableOf(difference);
  const concurrent = isConcurrent(table, context);
  const blocks = !concurrent && context.execution === 'online' && mayBeLarge(table, context);
  return [
    needsCreate(table.schema, context),
    index.unique ? duplicatesUnder(table, index, context) : null,
    hazardIf(blocks, 'blocks', 'it is built under a lock that stops all writes, and the table is large'),
    concurrent ? hazardOfConcurrentBuild(context) : null,
  ];
}
