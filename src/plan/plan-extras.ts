import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Constraint, QualifiedName } from '../schema/model.js';
import { dropIndex, findTable } from './build-index.js';
import { lossOfRows, lossOfValues } from './loss.js';
import { obstaclesOfColumn, obstaclesOfKey, obstaclesOfRelation } from './obstacles.js';
import { mayBeLarge, proposeDrop, type PlanContext, type Planner, type Proposal } from './proposal.js';
import { alterTable, dropConstraint, referencedBy, step, tableOf } from './statements.js';
import { unit } from './step.js';

/**
 * What only the database has is dropped when somebody approves it, and never otherwise. Nothing is dropped along that
 * depends on it (no CASCADE), but for what PostgreSQL counts as its part: a column's indexes and constraints.
 */
export const planExtraTable: Planner<'extra-table'> = (difference, context) => {
  const table = tableOf(difference);
  const alsoLocks = referencedBy(...constraintsOf(table, context));
  const sql = `DROP TABLE ${quoteQualified(table)}`;
  const drop = step(difference, 'drop table', sql, 'ACCESS EXCLUSIVE', { alsoLocks });
  const loss = lossOfRows(table, mayBeLarge(table, context));
  return proposeDrop([{ ...unit('drop-table', drop), loss }], obstaclesOfRelation(table, context.released));
};

function constraintsOf(table: QualifiedName, { actual }: PlanContext): readonly Constraint[] {
  return findTable(actual.tables, table)?.constraints ?? [];
}

export const planExtraView: Planner<'extra-view'> = (difference, { released }) => {
  const view = tableOf(difference);
  const { kind } = difference.found;
  const sql = `DROP ${kind.toUpperCase()} ${quoteQualified(view)}`;
  const drop = step(difference, `drop ${kind}`, sql, 'ACCESS EXCLUSIVE');
  return proposeDrop([unit('view', drop)], obstaclesOfRelation(view, released));
};

export const planExtraColumn: Planner<'extra-column'> = (difference, context) => {
  const table = tableOf(difference);
  const { name } = difference.found;
  const ofColumn = constraintsOf(table, context).filter(({ columns }) => columns.includes(name));
  const alsoLocks = referencedBy(...ofColumn);
  const drop = alterTable(difference, 'drop column', `DROP COLUMN ${quoteIdentifier(name)}`, { alsoLocks });
  const loss = lossOfValues(table, name, mayBeLarge(table, context));
  return proposeDrop(
    [{ ...unit('drop-column', drop), loss }],
    obstaclesOfColumn(table, name, context.released),
  );
};

export const planExtraConstraint: Planner<'extra-constraint'> = (difference, { released }) => {
  const { name, type } = difference.found;
  if (type === 'foreign-key') return planExtraForeignKey(difference);
  const obstacles = obstaclesOfKey(tableOf(difference), name, released);
  return proposeDrop([unit('drop', dropConstraint(difference))], obstacles);
};

/** Nothing holds on to a foreign key, and it holds on to others. */
export function planExtraForeignKey(difference: Difference<'extra-constraint'>): Proposal {
  return proposeDrop([unit('release', dropConstraint(difference))], null);
}

/** Others read and write meanwhile, where PostgreSQL can drop it concurrently. */
export const planExtraIndex: Planner<'extra-index'> = (difference, context) => {
  const { schema } = tableOf(difference);
  const { name } = difference.found;
  const drop = { ...dropIndex(difference, difference.found, context), phase: 'drop' } as const;
  return proposeDrop([drop], obstaclesOfRelation({ schema, name }, context.released));
};
