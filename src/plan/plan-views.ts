import { quoteQualified } from '../schema/identifier.js';
import type { Difference } from '../drift/drift-kind.js';
import type { Table } from '../schema/model.js';
import { createIndex } from './build-index.js';
import { dependantsOfView, type Dependants } from './dependants.js';
import { needsCreate } from './privileges.js';
import { propose, type Planner } from './proposal.js';
import { createView, remakeViews, selectOf } from './remake-views.js';
import { step, tableOf } from './statements.js';
import { unit } from './step.js';

export const planMissingView: Planner<'missing-view'> = (difference, context) => {
  const { wanted } = difference;
  const indexes = wanted.indexes.map((index) =>
    step(difference, 'create index', createIndex(wanted, index), 'NONE'),
  );
  const create = unit('view', ...createView(difference, wanted), ...indexes);
  return propose([create], [needsCreate(wanted.schema, context)]);
};

/**
 * Replacing a plain view in place keeps its grants and whatever builds on it, but its columns have to stay; and a
 * materialized one cannot be.
 */
export const planDifferentView: Planner<'different-view'> = (difference, context) => {
  const { wanted, views } = difference;
  if (isReplaceable(difference)) {
    const sql = `CREATE OR REPLACE VIEW ${quoteQualified(wanted)} AS ${selectOf(wanted)}`;
    return propose([unit('view', step(difference, 'replace view', sql, 'ACCESS EXCLUSIVE'))]);
  }
  const dependants = context.fact(dependantsOfView(tableOf(difference))) as Dependants | undefined;
  if (!dependants)
    return propose([], [{ kind: 'undecided', detail: 'what builds on it could not be found out in time' }]);
  const { drops, creates, hazards } = remakeViews(difference, dependants, views, context);
  return propose([unit('view', ...drops, ...creates)], [needsCreate(wanted.schema, context), ...hazards]);
};

/** More columns may follow. https://www.postgresql.org/docs/current/sql-createview.html */
function isReplaceable({ wanted, found }: Difference<'different-view'>): boolean {
  if (wanted.kind !== 'view') return false;
  const isKept = (column: Table['columns'][number], i: number): boolean => {
    const { name, type, collation } = wanted.columns[i] ?? {};
    return name === column.name && type === column.type && collation === column.collation;
  };
  return found.columns.every(isKept);
}
