import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { countOfMisfits, INPUT_IS_VALID_SINCE, type Count } from './question.js';

/** Something that is counted before it is given up. */
export interface Measure {
  /** `rows` */
  readonly what: string;
  readonly count: Count;
}

/** What a unit takes away that nothing brings back. */
export interface Loss {
  readonly table: QualifiedName;
  /** Counting would stop others for long, so it is done before the table is locked. */
  readonly isLarge: boolean;
  /** The first that the server can answer counts. */
  readonly measures: readonly Measure[];
}

export function lossOfRows(table: QualifiedName, isLarge: boolean): Loss {
  const count = `select count(*)::float8 from ${quoteQualified(table)}`;
  return { table, isLarge, measures: [{ what: 'rows', count }] };
}

export function lossOfValues(table: QualifiedName, column: string, isLarge: boolean): Loss {
  return { table, isLarge, measures: [valuesOf(table, column)] };
}

function valuesOf(table: QualifiedName, column: string): Measure {
  const count = `select count(${quoteIdentifier(column)})::float8 from ${quoteQualified(table)}`;
  return { what: 'values', count };
}

/** What a column's values lose by another type. */
export function lossByType(
  table: QualifiedName,
  { name, type: from }: Column,
  { type: to, cast }: { readonly type: string; readonly cast: string },
  serverVersion: number,
  isLarge: boolean,
): Loss {
  const value = quoteIdentifier(name);
  const isSame = `((${value}${cast})::text::${from})::text = ${value}::text`;
  // Older servers cannot ask first: where a value has no cast, they have no answer, and the next measure counts.
  const isChanged =
    serverVersion >= INPUT_IS_VALID_SINCE
      ? `case when pg_input_is_valid(${value}::text, ${quoteLiteral(to)}) then not (${isSame}) else true end`
      : `not (${isSame})`;
  const changed = `select count(*)::float8 from ${quoteQualified(table)} where ${value} is not null and ${isChanged}`;
  const misfits = countOfMisfits(table, name, to, serverVersion);
  const measures = [
    { what: 'values that would change', count: changed },
    ...(misfits === null ? [] : [{ what: 'values that do not fit', count: misfits }]),
    valuesOf(table, name),
  ];
  return { table, isLarge, measures };
}
