import { displayName, quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Constraint, Table } from '../schema/model.js';
import { columnDefinition } from './column-definition.js';
import { createIndex } from './build-index.js';
import { phaseOf } from './plan-constraints.js';
import { needsCreate } from './privileges.js';
import { propose, type Planner } from './proposal.js';
import { alterTable, referencedBy, step } from './statements.js';
import { unit, type Step } from './step.js';
import { hasIndex, hazardOfNames } from './taken-names.js';

/** A new table comes whole in one unit; its foreign keys follow when all tables are there. */
export const planMissingTable: Planner<'missing-table'> = (difference, context) => {
  const { wanted } = difference;
  const foreignKeys = wanted.constraints.filter(({ type }) => type === 'foreign-key');
  const whole = [
    step(difference, 'create table', createTable(wanted), 'NONE'),
    ...wanted.indexes.map((index) => step(difference, 'create index', createIndex(wanted, index), 'NONE')),
    ...comments(wanted).map((sql) => step(difference, 'comment', sql, 'NONE')),
  ];
  const references = foreignKeys.map((constraint) =>
    unit(phaseOf(constraint, context), addForeignKey(difference, constraint)),
  );
  const names = [...wanted.constraints.filter(hasIndex), ...wanted.indexes].map(({ name }) => name);
  return propose(
    [unit('table', ...whole), ...references],
    [needsCreate(wanted.schema, context), hazardOfNames(wanted.schema, names, null, context)],
  );
};

/** The new table is empty, so there is nothing to validate. */
function addForeignKey(difference: Parameters<typeof planMissingTable>[0], constraint: Constraint): Step {
  const { schema, name } = difference.wanted;
  const clause = `ADD CONSTRAINT ${quoteIdentifier(constraint.name)} ${constraint.definition}`;
  const object = displayName(schema, name, constraint.name);
  const alsoLocks = referencedBy(constraint);
  return alterTable(difference, 'add foreign key', clause, {
    lock: 'SHARE ROW EXCLUSIVE',
    object,
    alsoLocks,
  });
}

function createTable(table: Table): string {
  const constraints = table.constraints
    .filter(({ type }) => type !== 'foreign-key')
    .map(({ name, definition }) => `CONSTRAINT ${quoteIdentifier(name)} ${definition}`);
  const parts = [...table.columns.map(columnDefinition), ...constraints];
  return `CREATE TABLE ${quoteQualified(table)} (\n  ${parts.join(',\n  ')}\n)`;
}

function comments(table: Table): string[] {
  const ofTable = table.comment === null ? [] : [commentOnTable(table, table.comment)];
  const ofColumns = table.columns.flatMap(({ name, comment }) =>
    comment === null ? [] : [commentOnColumn(table, name, comment)],
  );
  return [...ofTable, ...ofColumns];
}

function commentOnTable(table: Pick<Table, 'schema' | 'name'>, comment: string | null): string {
  return `COMMENT ON TABLE ${quoteQualified(table)} IS ${comment === null ? 'NULL' : quoteLiteral(comment)}`;
}

export function commentOnColumn(
  table: Pick<Table, 'schema' | 'name'>,
  column: string,
  comment: string | null,
): string {
  const text = comment === null ? 'NULL' : quoteLiteral(comment);
  return `COMMENT ON COLUMN ${quoteQualified(table)}.${quoteIdentifier(column)} IS ${text}`;
}

export const planTableComment: Planner<'different-table-comment'> = (difference) => {
  const { table, wanted } = difference;
  if (!table) return propose([]);
  return propose([
    unit('table', step(difference, 'comment', commentOnTable(table, wanted), 'SHARE UPDATE EXCLUSIVE')),
  ]);
};

export const planDifferentRelation: Planner<'different-relation'> = ({ found, desired }) =>
  propose(
    [],
    [
      {
        kind: 'undecided',
        detail: `a ${found} stands where the entity wants a ${desired}; rename or drop one of them`,
      },
    ],
  );
