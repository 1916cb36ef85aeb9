import { isSameName } from '../schema/identifier.js';
import type { Column, QualifiedName, Schema, Table } from '../schema/model.js';

/** What is read from the text of a statement of ours that was applied. */
export interface Applied {
  readonly sql: string;
}

/** A quoted name, as a part of a regular expression: our statements quote every one. */
export const NAME = '"(?:[^"]|"")+"';
const TABLE = `^ALTER TABLE (?:ONLY )?${NAME}\\.${NAME}`;
const ADD_COLUMN = new RegExp(`${TABLE} ADD COLUMN (${NAME}) `);
const CHANGE_TYPE = new RegExp(`${TABLE} ALTER COLUMN (${NAME}) TYPE `);
const ADD_CONSTRAINT = new RegExp(`${TABLE} ADD CONSTRAINT (${NAME}) `);
const TAKE_INDEX = new RegExp(`${TABLE} ADD CONSTRAINT ${NAME} (?:UNIQUE|PRIMARY KEY) USING INDEX (${NAME})`);
const CREATE_INDEX = new RegExp(
  `^CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(${NAME}) ON (?:ONLY )?(${NAME})\\.`,
);
const CREATE_WITHOUT_TABLE = new RegExp(
  `^CREATE (TYPE|SCHEMA|EXTENSION) (?:IF NOT EXISTS )?(?:(${NAME})\\.)?(${NAME})`,
);
const RENAME = new RegExp(
  `^ALTER (TABLE|INDEX|TYPE) (${NAME})\\.(${NAME}) RENAME (?:(COLUMN|CONSTRAINT) (${NAME}) )?TO (${NAME})$`,
);

/** The column that a step has added; null for other steps. */
export function addedColumn(step: Applied): string | null {
  return nameIn(ADD_COLUMN, step);
}

/** The column that a step has given another type. */
export function changedType(step: Applied): string | null {
  return nameIn(CHANGE_TYPE, step);
}

export function addedConstraint(step: Applied): string | null {
  return nameIn(ADD_CONSTRAINT, step);
}

/** The index that a step has made a key's. */
export function takenIndex(step: Applied): string | null {
  return nameIn(TAKE_INDEX, step);
}

export function builtIndex({ sql }: Applied): QualifiedName | null {
  const [, name, schema] = CREATE_INDEX.exec(sql) ?? [];
  return name === undefined || schema === undefined ? null : { schema: bare(schema), name: bare(name) };
}

/** A name that a step gives to something. */
export interface GivenName {
  readonly what: 'TABLE' | 'COLUMN' | 'CONSTRAINT' | 'INDEX' | 'TYPE';
  /** The table, by its name at that moment; of an index or a type, its own name. */
  readonly of: QualifiedName;
  readonly from: string;
  readonly to: string;
}

/** The name that a step gives; null for other steps. */
export function givenName({ sql }: Applied): GivenName | null {
  const [, what, schema, name, part, former = name, to] = RENAME.exec(sql) ?? [];
  if (
    what === undefined ||
    schema === undefined ||
    name === undefined ||
    former === undefined ||
    to === undefined
  )
    return null;
  return {
    what: (part ?? what) as GivenName['what'],
    of: { schema: bare(schema), name: bare(name) },
    from: bare(former),
    to: bare(to),
  };
}

export function isNewTable({ sql }: Applied): boolean {
  return sql.startsWith('CREATE TABLE ');
}

function nameIn(pattern: RegExp, { sql }: Applied): string | null {
  const [, name] = pattern.exec(sql) ?? [];
  return name === undefined ? null : bare(name);
}

function bare(quoted: string): string {
  return quoted.slice(1, -1).replaceAll('""', '"');
}

type AppliedToTable = Applied & { readonly table: QualifiedName | null };

/** Whether what a step has made is there, under that name, or what it has renamed, under the name that it gave. */
export function isStillThere(step: AppliedToTable, actual: Schema): boolean {
  const given = givenName(step);
  if (given) return isCalledSo(given, actual);
  if (step.table === null) return isMade(step, actual);
  const table = tableOf(step, actual);
  if (!table) return isIndexOfPartition(step, actual);
  const [column, constraint, index] = [
    addedColumn(step) ?? changedType(step),
    addedConstraint(step),
    builtIndex(step)?.name ?? null,
  ];
  const isThere = (
    wanted: string | null,
    ...found: readonly (readonly { readonly name: string }[])[]
  ): boolean => wanted === null || found.flat().some(({ name }) => name === wanted);
  return (
    isThere(column, table.columns) &&
    isThere(constraint, table.constraints) &&
    isThere(index, table.indexes, table.constraints)
  );
}

/** Whether what a step has made or renamed would be seen: whoever looks elsewhere knows nothing of it. */
export function isLookedAt(step: AppliedToTable, schemas: readonly string[]): boolean {
  const of = givenName(step)?.of.schema ?? step.table?.schema ?? madeAlone(step)?.schema ?? null;
  return of === null || schemas.includes(of);
}

/** What a step has made that belongs to no table; an extension is in no schema that matters. Null for other steps. */
export function madeAlone({ sql }: Applied) {
  const [, what, schema, quoted] = CREATE_WITHOUT_TABLE.exec(sql) ?? [];
  if (what === undefined || quoted === undefined) return null;
  const name = bare(quoted);
  return { what, name, schema: what === 'SCHEMA' ? name : schema === undefined ? null : bare(schema) };
}

function isMade(step: Applied, { enums, namespaces, extensions }: Schema): boolean {
  const made = madeAlone(step);
  switch (made?.what) {
    case 'TYPE':
      return enums.some(({ schema, name }) => schema === made.schema && name === made.name);
    case 'SCHEMA':
      return namespaces.some(({ name }) => name === made.name);
    case 'EXTENSION':
      return extensions.some(({ name }) => name === made.name);
    default:
      return true;
  }
}

function isCalledSo({ what, of, to }: GivenName, { tables, enums }: Schema): boolean {
  const table = tables.find((each) => isSameName(each, of));
  const isTo = ({ name }: { readonly name: string }): boolean => name === to;
  const renamed = { schema: of.schema, name: to };
  switch (what) {
    case 'TABLE':
      return tables.some((each) => isSameName(each, renamed));
    case 'COLUMN':
      return table?.columns.some(isTo) ?? false;
    case 'CONSTRAINT':
      return table?.constraints.some(isTo) ?? false;
    case 'INDEX':
      return tables.some(({ schema, indexes }) => schema === of.schema && indexes.some(isTo));
    case 'TYPE':
      return enums.some((each) => isSameName(each, renamed));
  }
}

/** One that is built and belongs to no index of the whole table yet: those that do are not listed. */
function isIndexOfPartition(step: AppliedToTable, { tables }: Schema): boolean {
  const [{ table }, index] = [step, builtIndex(step)];
  const partition = tables
    .flatMap(({ partitions }) => partitions)
    .find((each) => table !== null && isSameName(each, table));
  return partition?.indexes.some(({ name }) => name === index?.name) ?? false;
}

/** The column that a step has added or given another type, as it is now. */
export function columnOf(step: AppliedToTable, actual: Schema): Column | undefined {
  const wanted = addedColumn(step) ?? changedType(step);
  return tableOf(step, actual)?.columns.find(({ name }) => name === wanted);
}

function tableOf({ table }: AppliedToTable, { tables }: Schema): Table | undefined {
  return tables.find((each) => table !== null && isSameName(each, table));
}
