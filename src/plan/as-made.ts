import { describeIndex } from '../drift/describe.js';
import type { UndoRequest } from '../drift/undo-request.js';
import { displayName, isSameName, quoteIdentifier, quoteLiteral } from '../schema/identifier.js';
import type { Column, Constraint, Index, Schema, Table } from '../schema/model.js';
import {
  addedColumn,
  addedConstraint,
  builtIndex,
  isNewTable,
  isStillThere,
  madeAlone,
  NAME,
} from './applied-step.js';
import { definitionHeads } from './column-definition.js';

type Made = Pick<UndoRequest, 'sql' | 'kind' | 'object' | 'table' | 'desired' | 'madeWith'>;

/**
 * Whether what a step has made is there, and is what it has made: an index of that name that somebody has built otherwise
 * since is his, and so is a column of another type. What values a column or a table has is counted.
 */
export function isAsMade(request: Made, actual: Schema): boolean {
  if (!isStillThere(request, actual)) return false;
  if (madeAlone(request)?.what === 'TYPE') return isEnumAsMade(request, actual);
  const { desired, table, sql } = request;
  const found = actual.tables.find((each) => table !== null && isSameName(each, table));
  if (!found) return true;
  if (isNewTable(request)) return found.kind === 'table';
  const added = addedColumn(request);
  if (added !== null)
    return isColumnOf(
      sql,
      found.columns.find(({ name }) => name === added),
    );
  if (desired === null) return true;
  const now = textOf(request, found);
  return now === undefined || now === desired;
}

/** Later runs may have added values to it. */
function isEnumAsMade(request: Made, { enums }: Schema): boolean {
  const made = madeAlone(request);
  const found = enums.find(({ schema, name }) => schema === made?.schema && name === made.name);
  const known = [request, ...(request.madeWith ?? [])].map(({ sql }) => sql);
  return found?.values.every((value) => known.some((sql) => sql.includes(quoteLiteral(value)))) ?? false;
}

/** Whether the statement that has made a table, or a part of one, has made a part of it as it is now. */
export function isPartAsMade(
  sql: string,
  is: 'index' | 'constraint' | 'column',
  name: string,
  found: Table,
): boolean {
  switch (is) {
    case 'index':
      return (
        builtIndex({ sql })?.name === name &&
        isIndexOf(
          sql,
          found.indexes.find((each) => each.name === name),
        )
      );
    case 'constraint':
      return isConstraintOf(
        sql,
        found.constraints.find((each) => each.name === name),
      );
    case 'column':
      return isColumnOf(
        sql,
        found.columns.find((each) => each.name === name),
      );
  }
}

function isIndexOf(sql: string, index: Index | undefined): boolean {
  return (
    index !== undefined && sql.startsWith('CREATE UNIQUE ') === index.unique && sql.endsWith(index.definition)
  );
}

function isConstraintOf(sql: string, constraint: Constraint | undefined): boolean {
  if (!constraint) return false;
  const [, made] = sql.split(`CONSTRAINT ${quoteIdentifier(constraint.name)} `, 2);
  if (made === undefined) return false;
  const [text, definition] = [made, constraint.definition].map(withoutTarget);
  return (
    /^(?:,\n|\n\)$| NOT VALID$|$)/.test((text ?? '').slice(definition?.length)) &&
    (text ?? '').startsWith(definition ?? '')
  );
}

/** What a foreign key points to may have been renamed since. */
function withoutTarget(definition: string): string {
  return definition.replace(
    new RegExp(`^(FOREIGN KEY \\(.+?\\) REFERENCES) ${NAME}\\.${NAME} \\(.+?\\)`),
    '$1',
  );
}

function isColumnOf(sql: string, column: Column | undefined): boolean {
  if (!column) return false;
  const heads = definitionHeads(column).flatMap((head) => [`ADD COLUMN ${head}`, `\n  ${head}`]);
  return heads.some((head) => /^(?:[ ,\n]|$)/.test(sql.split(head, 2)[1] ?? '.'));
}

/** The text that a finding of that kind would have as the actual one; undefined where there is none to compare with. */
function textOf(request: Made, found: Table): string | null | undefined {
  const named = <Named extends { readonly name: string }>(
    all: readonly Named[],
    name: string | null | undefined,
  ): Named | undefined => all.find((each) => each.name === name);
  const column = found.columns.find(
    ({ name }) => displayName(found.schema, found.name, name) === request.object,
  );
  switch (request.kind) {
    case 'missing-view':
      return `${found.kind} ${found.definition}`;
    case 'different-type':
      return column?.type;
    case 'different-default':
      return column && (column.expression ?? 'none');
    case 'different-comment':
      return column?.comment;
    case 'different-table-comment':
      return found.comment;
    case 'missing-constraint':
    case 'different-constraint':
      return named(found.constraints, addedConstraint(request))?.definition;
    case 'missing-index':
    case 'different-index': {
      const index = named(found.indexes, builtIndex(request)?.name);
      return index && describeIndex(index);
    }
    default:
      return undefined;
  }
}
