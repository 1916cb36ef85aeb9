import { nameOf, type ColumnDesign, type Design, type TableDesign, type ViewDesign } from './design.js';
import {
  defaultOf,
  expressionOf,
  literal,
  selectOf,
  storedExpression,
  valuesOf,
  whereOf,
} from './expressions.js';

/** A design as one would note it down, for whoever reads a counter-example. */
export function describeDesign(design: Design): string {
  return [
    ...design.tables.map((table) => describeTable(table, design)),
    ...design.views.map((view) => describeView(view, design)),
  ].join('\n');
}

const words = (...parts: (string | false | null)[]): string => parts.filter(Boolean).join(' ');

function describeTable(table: TableDesign, design: Design): string {
  const { columns, uniques, indexes, checks, foreignKeys, comment, keyName } = table;
  return [
    words(
      `table ${nameOf(table)}`,
      comment !== null && `comment ${literal(comment)}`,
      keyName !== null && `key "${keyName}"`,
    ),
    ...columns.map((column) => describeColumn(column, design)),
    ...uniques.map((unique) =>
      words('unique', unique.name && `"${unique.name}"`, `(${unique.columns.join(', ')})`, unique.deferrable),
    ),
    ...indexes.map((index) =>
      words(
        index.unique && 'unique',
        'index',
        index.name && `"${index.name}"`,
        index.method,
        `(${index.columns.join(', ')})`,
        index.where && `where ${whereOf(index.where, columns, design)}`,
      ),
    ),
    ...checks.map((check) =>
      words('check', check.name && `"${check.name}"`, expressionOf(check, columns, design)),
    ),
    ...foreignKeys.map((key) =>
      words(
        'foreign key',
        key.name && `"${key.name}"`,
        `(${key.columns.join(', ')}) to ${key.target} (${key.targetColumns.join(', ')})`,
        key.onDelete !== 'NO ACTION' && `on delete ${key.onDelete}`,
        key.onUpdate !== 'NO ACTION' && `on update ${key.onUpdate}`,
        key.deferrable,
      ),
    ),
  ].join('\n  ');
}

function describeColumn(column: ColumnDesign, design: Design): string {
  const given = defaultOf(column, design);
  const type =
    column.type === 'enum'
      ? `enum${typeof column.values === 'string' ? ` ${column.values}` : ''} (${valuesOf(column, design).join(', ')})`
      : column.type;
  return words(
    column.name,
    `${type}${column.array ? '[]' : ''}`,
    column.primary && 'primary',
    column.nullable && 'null',
    column.generated && `generated ${column.generated}`,
    column.stored && `stored as ${storedExpression(column)}`,
    given && `default ${'sql' in given ? given.sql : `value ${JSON.stringify(given.value)}`}`,
    column.collation && `collation ${column.collation}`,
    column.comment && `comment ${JSON.stringify(column.comment)}`,
  );
}

function describeView(view: ViewDesign, design: Design): string {
  return words(
    view.materialized && 'materialized',
    'view',
    `${nameOf(view)}: ${selectOf(view, design)}`,
    view.indexed && 'indexed',
  );
}
