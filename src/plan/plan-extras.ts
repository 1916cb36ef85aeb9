import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { dropIndex } from './build-index.js';
import { lossOfRows, lossOfValues } from './loss.js';
import { obstaclesOfColumn, obstaclesOfKey, obstaclesOfRelation } from './obstacles.js';
import { mayBeLarge, proposeDrop, type Planner } from './proposal.js';
import { alterTable, step, tableOf } from './statements.js';
import { unit } from './step.js';

/**
 * What only the database has is dropped when somebody approves it, and never otherwise. Nothing is dropped along that
 * depends on it (no CASCADE), but for what PostgreSQL counts as its part: a column's indexes and constraints.
 */
export const planExtraTable: Planner<'extra-table'> = (difference, context) => {
  const table = tableOf(difference);
  const drop = step(difference, 'drop table', `DROP TABLE ${quoteQualified(table)}`, 'ACCESS EXCLUSIVE');
  const loss = lossOfRows(table, mayBeLarge(table, context));
  return proposeDrop([{ ...unit('drop', drop), loss }], obstaclesOfRelation(table));
};

export const planExtraView: Planner<'extra-view'> = (difference) => {
  const view = tableOf(difference);
  const { kind } = difference.found;
  const sql = `DROP ${kind.toUpperCase()} ${quoteQualified(view)}`;
  const drop = step(difference, `drop ${kind}`, sql, 'ACCESS EXCLUSIVE');
  return proposeDrop([unit('view', drop)], obstaclesOfRelation(view));
};

export const planExtraColumn: Planner<'extra-column'> = (difference, context) => {
  const table = tableOf(difference);
  const { name } = difference.found;
  const drop = alterTable(difference, 'drop column', `DROP COLUMN ${quoteIdentifier(name)}`);
  const loss = lossOfValues(table, name, mayBeLarge(table, context));
  return proposeDrop([{ ...unit('drop', drop), loss }], obstaclesOfColumn(table, name));
};

export const planExtraConstraint: Planner<'extra-constraint'> = (difference) => {
  const { found } = difference;
  const drop = alterTable(difference, 'drop constraint', `DROP CONSTRAINT ${quoteIdentifier(found.name)}`);
  return proposeDrop([unit('drop', drop)], obstaclesOfKey(tableOf(difference), found.name));
};

/** Others read and write meanwhile, where PostgreSQL can drop it concurrently. */
export const planExtraIndex: Planner<'extra-index'> = (difference, context) => {
  const { schema } = tableOf(difference);
  const { name } = difference.found;
  const drop = { ...dropIndex(difference, difference.found, context), phase: 'drop' } as const;
  return proposeDrop([drop], obstaclesOfRelation({ schema, name }));
};
