import { printedName } from '../schema/identifier.js';
import type { Column, Constraint, Enum, Index, Schema, Table } from '../schema/model.js';

/** An enum type that stands where the entities ask for one of another name with the same values. */
export interface EnumGuise {
  readonly wanted: Enum;
  readonly found: Enum;
}

/** What is desired in the words of the enum types that are there. */
export interface Translation {
  readonly desired: Schema;
  readonly guises: readonly EnumGuise[];
}

/**
 * Hand-written migrations name enum types differently, and let columns share one where TypeORM would have a type for
 * each. A column whose type has the same values is of the type that it should be: what is desired of its table is put in
 * the words of the type that is there, so that the statements, too, speak of that one.
 */
export function translateEnums(desired: Schema, actual: Schema): Translation {
  if (desired.enums.length === 0) return { desired, guises: [] };
  const [wantedTypes, foundTypes] = [typesOf(desired), typesOf(actual)];
  const foundTables = new Map(actual.tables.map((table) => [printedName(table), table]));
  const guises = new Map<string, EnumGuise>();
  const tables = desired.tables.map((table) => {
    const found = foundTables.get(printedName(table));
    const ofColumns = found ? guisesOf(table, found, wantedTypes, foundTypes) : [];
    for (const { guise } of ofColumns) guises.set(keyOf(guise), guise);
    return ofColumns.length === 0 ? table : translateTable(table, ofColumns);
  });
  if (guises.size === 0) return { desired, guises: [] };
  const all = [...guises.values()];
  const ofViews = translator(all.filter(isOnly));
  const used = new Set(tables.flatMap(({ columns }) => columns.map(({ type }) => elementOf(type))));
  const disguised = new Set(all.map(({ wanted }) => printedName(wanted)));
  const isNeeded = (each: Enum): boolean => used.has(printedName(each)) || !disguised.has(printedName(each));
  return {
    desired: {
      ...desired,
      tables: tables.map((table) =>
        table.definition === null ? table : { ...table, definition: ofViews(table.definition) },
      ),
      enums: desired.enums.filter(isNeeded),
    },
    guises: all,
  };
}

interface ColumnGuise {
  readonly column: string;
  readonly guise: EnumGuise;
}

function guisesOf(
  wanted: Table,
  found: Table,
  wantedTypes: ReadonlyMap<string, Enum>,
  foundTypes: ReadonlyMap<string, Enum>,
): ColumnGuise[] {
  const foundColumns = new Map(found.columns.map((column) => [column.name, column.type]));
  return wanted.columns.flatMap(({ name, type }): ColumnGuise[] => {
    const foundType = foundColumns.get(name);
    if (foundType === undefined || foundType === type || isArray(type) !== isArray(foundType)) return [];
    const [ofEntity, ofTable] = [wantedTypes.get(elementOf(type)), foundTypes.get(elementOf(foundType))];
    if (!ofEntity || !ofTable || ofEntity.values.join('\0') !== ofTable.values.join('\0')) return [];
    return [{ column: name, guise: { wanted: ofEntity, found: ofTable } }];
  });
}

function translateTable(table: Table, ofColumns: readonly ColumnGuise[]): Table {
  const translators = new Map(ofColumns.map(({ column, guise }) => [column, translator([guise])]));
  // A type that stands for several in one table: in a text about more than one column nobody knows which is meant.
  const ofTable = translator(ofColumns.map(({ guise }) => guise).filter(isOnly));
  const ofColumn = (column: Column): Column => {
    const translate = translators.get(column.name);
    if (!translate) return column;
    const expression = column.expression === null ? null : translate(column.expression);
    return { ...column, type: translate(column.type), expression };
  };
  const ofConstraint = (constraint: Constraint): Constraint => ({
    ...constraint,
    definition: ofTable(constraint.definition),
  });
  const ofIndex = (index: Index): Index => ({
    ...index,
    definition: ofTable(index.definition),
    uniqueKeys: index.uniqueKeys.map(ofTable),
    predicate: index.predicate === null ? null : ofTable(index.predicate),
  });
  return {
    ...table,
    columns: table.columns.map(ofColumn),
    constraints: table.constraints.map(ofConstraint),
    indexes: table.indexes.map(ofIndex),
  };
}

function isOnly({ wanted, found }: EnumGuise, _: number, all: readonly EnumGuise[]): boolean {
  return all.every((each) => each.wanted !== wanted || each.found === found);
}

function translator(guises: readonly EnumGuise[]): (text: string) => string {
  const names = new Map(guises.map(({ wanted, found }) => [printedName(wanted), printedName(found)]));
  if (names.size === 0) return (text) => text;
  const alternatives = [...names.keys()].map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = new RegExp(`(?<![\\w"$.])(?:${alternatives.join('|')})(?![\\w"$])`, 'g');
  return (text) => text.replace(pattern, (name) => names.get(name) ?? name);
}

function typesOf({ enums }: Schema): Map<string, Enum> {
  return new Map(enums.map((each) => [printedName(each), each]));
}

function isArray(type: string): boolean {
  return type.endsWith('[]');
}

function elementOf(type: string): string {
  return isArray(type) ? type.slice(0, -2) : type;
}

function keyOf({ wanted, found }: EnumGuise): string {
  return JSON.stringify([printedName(wanted), printedName(found)]);
}
