import { describeColumn } from '../drift/describe.js';
import type { Difference } from '../drift/drift-kind.js';
import type { OrderedUndo, UndoRequest } from '../drift/undo-request.js';
import { groupByName, isSameName, keyOf, printedName } from '../schema/identifier.js';
import { mentions, readsColumn } from '../schema/identifiers-in.js';
import type { Constraint, QualifiedName, Schema, Table } from '../schema/model.js';
import {
  addedColumn,
  addedConstraint,
  builtIndex,
  changedType,
  columnOf,
  givenName,
  isNewTable,
  madeAlone,
  NAME,
  type GivenName,
} from './applied-step.js';

/**
 * The order in which steps are taken back: the latest first, but what PostgreSQL needs an object for, and what was done under
 * a name, goes before it. A circle begins anywhere.
 *
 * @param requests the latest first
 */
export function inUndoOrder(requests: readonly UndoRequest[], actual: Schema): OrderedUndo[] {
  if (requests.length === 0) return [];
  const needs = new Needs(requests, actual);
  const ordered = new Map<UndoRequest, OrderedUndo>();
  const begun = new Set<UndoRequest>();
  const visit = (request: UndoRequest): void => {
    if (begun.has(request)) return;
    begun.add(request);
    const before = needs.of(request);
    before.forEach(visit);
    ordered.set(request, { request, made: describeMade(request, actual), needs: before });
  };
  requests.forEach(visit);
  return [...ordered.values()];
}

/** An approval is for the default that goes with a type, and no statement names it. */
function describeMade(request: UndoRequest, actual: Schema): string | null {
  const column = changedType(request) === null ? undefined : columnOf(request, actual);
  return column ? describeColumn({ ...column, notNull: false }) : null;
}

/** What has to be taken back before, as objects: without it this could not be found any more, or would be refused. */
export function undoneBefore(difference: Difference): readonly string[] {
  if (difference.kind !== 'undo') return [];
  const { needs, later } = difference;
  return needs.filter((other) => !later.includes(other)).map(({ object }) => object);
}

interface KeyOf extends Constraint {
  readonly table: QualifiedName;
}

/** The foreign keys that point to a table. */
export function keysTo(target: QualifiedName, { tables }: Schema): readonly KeyOf[] {
  return tables.flatMap((table) =>
    table.constraints
      .filter(({ references }) => references && isSameName(references, target))
      .map((key) => ({ ...key, table })),
  );
}

/** Tells of steps which others have to be taken back before them. Built once for all, as there may be thousands. */
class Needs {
  private readonly onTable: ReadonlyMap<string, readonly UndoRequest[]>;
  private readonly keysTo: ReadonlyMap<string, readonly KeyOf[]>;
  private readonly tables: ReadonlyMap<string, readonly Table[]>;
  private readonly views: readonly UndoRequest[];

  constructor(
    private readonly requests: readonly UndoRequest[],
    { tables }: Schema,
  ) {
    const keys = tables.flatMap((table) => table.constraints.map((key): KeyOf => ({ ...key, table })));
    this.onTable = groupByName(requests, ({ table }) => table);
    this.keysTo = groupByName(keys, ({ references }) => references);
    this.tables = groupByName(tables, (table) => table);
    this.views = requests.filter(isNewView);
  }

  of(request: UndoRequest): readonly UndoRequest[] {
    const given = givenName(request);
    const named = given ? this.requests.filter((other) => bearsName(given, other, request)) : [];
    const all = new Set([...named, ...this.builtOn(request)]);
    all.delete(request);
    return [...all];
  }

  private builtOn(request: UndoRequest): readonly UndoRequest[] {
    const made = madeAlone(request);
    if (made?.what === 'SCHEMA')
      return this.requests.filter((other) => (other.table ?? madeAlone(other))?.schema === made.name);
    if (made?.what === 'TYPE' && made.schema !== null)
      return this.ofType(printedName({ schema: made.schema, name: made.name }));
    const [table] = (request.table && this.tables.get(keyOf(request.table))) ?? [];
    if (!table) return [];
    const keys = this.keysTo.get(keyOf(table)) ?? [];
    if (isNewView(request)) return this.viewsOf(table.name);
    if (isNewTable(request)) return [...this.ofKeys(keys), ...this.viewsOf(table.name)];
    const columns = columnsOfKey(request, table);
    if (columns)
      return [
        ...this.ofKeys(keys.filter(({ references }) => isSameSet(references?.columns, columns))),
        ...this.columnsOfPart(request, table),
      ];
    const [column, retyped] = [addedColumn(request), changedType(request)];
    if (retyped !== null) return this.ofColumns(table, generatedFrom(table, retyped));
    if (column === null) return this.columnsOfPart(request, table);
    // What points to a key of the column keeps it.
    const pointing = keys.filter(({ references }) => references?.columns.includes(column));
    return [
      ...this.ofColumns(table, generatedFrom(table, column)),
      ...this.ofKeys(pointing),
      ...this.viewsOf(table.name, column),
    ];
  }

  private viewsOf(...names: readonly string[]): readonly UndoRequest[] {
    return this.views.filter(({ sql }) => names.every((name) => mentions(sql.replace(NEW_VIEW, ''), name)));
  }

  /** An index or a constraint goes, or stays, with the columns that the run has added. */
  private columnsOfPart(request: UndoRequest, table: Table): readonly UndoRequest[] {
    const columns = columnsOfPart(request, table);
    return (this.onTable.get(keyOf(table)) ?? []).filter((other) => {
      const added = addedColumn(other);
      return added !== null && other.runId === request.runId && columns.includes(added);
    });
  }

  private ofKeys(keys: readonly KeyOf[]): UndoRequest[] {
    return keys.flatMap(({ table, columns, name }) => this.ofColumns(table, columns, name));
  }

  private ofType(type: string): UndoRequest[] {
    return [...this.tables.values()].flat().flatMap((table) => {
      const columns = table.columns.filter((each) => each.type.replace(/(\[\])+$/, '') === type);
      return this.ofColumns(
        table,
        columns.map(({ name }) => name),
      );
    });
  }

  /** What has made, or given their type, any of these columns: all of the table, or a column; or has made the key itself. */
  private ofColumns(table: QualifiedName, columns: readonly string[], key?: string): UndoRequest[] {
    if (columns.length === 0) return [];
    return (this.onTable.get(keyOf(table)) ?? []).filter((step) => {
      const column = addedColumn(step) ?? changedType(step);
      const isOfKey = key !== undefined && addedConstraint(step) === key;
      return isOfKey || isNewTable(step) || isNewView(step) || (column !== null && columns.includes(column));
    });
  }
}

/** With its own name, which a view of another schema may bear. */
const NEW_VIEW = new RegExp(`^CREATE (?:MATERIALIZED )?VIEW ${NAME}\\.${NAME} AS`);

function isNewView({ sql }: UndoRequest): boolean {
  return NEW_VIEW.test(sql);
}

/** The columns of the key that a step has made, by a constraint or by a unique index; undefined for other steps. */
function columnsOfKey(request: UndoRequest, { constraints, indexes }: Table): readonly string[] | undefined {
  const [constraint, index] = [addedConstraint(request), builtIndex(request)?.name];
  const key = constraints.find(
    ({ name, type }) => name === constraint && (type === 'unique' || type === 'primary-key'),
  );
  if (key) return key.columns;
  const made = indexes.find(({ name, unique, predicate }) => name === index && unique && predicate === null);
  return made?.uniqueKeys.map((each) =>
    each.startsWith('"') ? each.slice(1, -1).replaceAll('""', '"') : each,
  );
}

/** The columns that an index or a constraint reads; none for other steps. */
export function columnsOfPart(
  request: Pick<UndoRequest, 'sql'>,
  { constraints, indexes, columns }: Table,
): string[] {
  const [constraint, index] = [addedConstraint(request), builtIndex(request)?.name];
  if (constraint === null && index === undefined) return [];
  const texts = [
    ...constraints.filter(({ name }) => name === constraint).map(({ definition }) => ofOwnTable(definition)),
    ...indexes.filter(({ name }) => name === index).map(({ definition }) => definition),
  ];
  return columns
    .map(({ name }) => name)
    .filter((name) => texts.some((text) => readsColumn(text, name, null)));
}

/** Of a foreign key, what it says of the table that it is of. */
function ofOwnTable(definition: string): string {
  return definition.startsWith('FOREIGN KEY ') ? (definition.split(' REFERENCES ', 1)[0] ?? '') : definition;
}

function isSameSet(one: readonly string[] = [], other: readonly string[]): boolean {
  return one.toSorted().join('\n') === other.toSorted().join('\n');
}

function generatedFrom({ columns }: Table, column: string): string[] {
  return columns
    .filter(({ generated, expression }) => generated !== null && mentions(expression ?? '', column))
    .map(({ name }) => name);
}

/** Whether a step was taken under a name that an earlier one has given. */
function bearsName(given: GivenName, later: UndoRequest, earlier: UndoRequest): boolean {
  if (Number(later.stepId) <= Number(earlier.stepId)) return false;
  const { table } = later;
  // Of a column, what was done to the column itself, and what is built on it; of a table, whatever was done to it.
  if (given.what === 'COLUMN') return later.object === earlier.object || isBuiltOn(given, later);
  if (given.what !== 'TABLE' || table === null) return false;
  return isSameName(table, { schema: given.of.schema, name: given.to });
}

/** An index or a constraint that names the column. Who waits for one more than is needed loses nothing. */
function isBuiltOn({ of, to }: GivenName, later: UndoRequest): boolean {
  const isPart = builtIndex(later) !== null || addedConstraint(later) !== null;
  return isPart && later.table !== null && isSameName(later.table, of) && later.sql.includes(to);
}
