import { quoteQualified } from '../schema/identifier.js';
import type { Table } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import { createIndex } from './build-index.js';
import { needsCreate } from './privileges.js';
import { propose, type Planner } from './proposal.js';
import { step } from './statements.js';
import { unit, type Step } from './step.js';

export const planMissingView: Planner<'missing-view'> = (difference, context) =>
  propose([unit('view', ...create(difference))], [needsCreate(difference.wanted.schema, context)]);

/** Replacing a plain view in place keeps its grants and whatever builds on it; a materialised one cannot be. */
export const planDifferentView: Planner<'different-view'> = (difference) => {
  const { wanted } = difference;
  if (wanted.kind === 'view') {
    const sql = `CREATE OR REPLACE VIEW ${quoteQualified(wanted)} AS ${selectOf(wanted)}`;
    return propose([unit('view', step(difference, 'replace view', sql, 'ACCESS EXCLUSIVE'))]);
  }
  const sql = `DROP MATERIALIZED VIEW ${quoteQualified(wanted)}`;
  const drop = step(difference, 'drop materialized view', sql, 'ACCESS EXCLUSIVE');
  const detail = 'a materialized view is only changed by dropping it, with its grants, and building it anew';
  return propose([unit('view', drop, ...create(difference))], [{ kind: 'undecided', detail }]);
};

function create(difference: Difference<'missing-view' | 'different-view'>): Step[] {
  const { wanted } = difference;
  const sql = `CREATE ${wanted.kind.toUpperCase()} ${quoteQualified(wanted)} AS ${selectOf(wanted)}`;
  const indexes = wanted.indexes.map((index) =>
    step(difference, 'create index', createIndex(wanted, index), 'NONE'),
  );
  return [step(difference, `create ${wanted.kind}`, sql, 'NONE'), ...indexes];
}

function selectOf({ definition }: Table): string {
  return (definition ?? '').trim().replace(/;$/, '');
}
