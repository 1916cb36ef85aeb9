import { displayName, isSameName } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import type { Difference } from './drift-kind.js';
import { withColumnAs, withTableAs, withTypesAs } from './renamed-schema.js';

/** A name that the entities say something had before, and has now. */
export interface Renaming {
  readonly finding: Difference<'renamed-table' | 'renamed-column'>;
  /** By its new name. */
  readonly table: Pick<Table, 'schema' | 'name'>;
  /** By its new name; null for the table itself. */
  readonly column: string | null;
}

/** The database as it will be once everything has its new name, and what it takes to get there. */
export interface Renamed {
  readonly actual: Schema;
  readonly renamings: readonly Renaming[];
  /** What may be renamed or new: nothing is guessed. */
  readonly unclear: readonly Renaming[];
}

/** Finds out what has to be renamed. Everything else can then be compared as if it had been. */
export function findRenames(desired: Schema, found: Schema): Renamed {
  const result = { actual: found, renamings: [] as Renaming[], unclear: [] as Renaming[] };
  for (const wanted of desired.tables.filter(({ formerNames }) => formerNames)) {
    const renaming = renamingOfTable(desired, result.actual, wanted);
    if (!renaming) continue;
    if (renaming.finding.conflict === null)
      result.actual = withTableAs(result.actual, wanted, renaming.finding.from);
    (renaming.finding.conflict === null ? result.renamings : result.unclear).push(renaming);
  }
  for (const wanted of desired.tables) {
    for (const { name, formerNames } of wanted.columns) {
      const renaming = formerNames && renamingOfColumn(result.actual, wanted, name, formerNames);
      if (!renaming) continue;
      if (renaming.finding.conflict === null)
        result.actual = withColumnAs(result.actual, wanted, renaming.finding.from, name);
      (renaming.finding.conflict === null ? result.renamings : result.unclear).push(renaming);
    }
  }
  return withTypes(desired, result);
}

function renamingOfTable(desired: Schema, actual: Schema, wanted: Table): Renaming | undefined {
  const { schema, name, formerNames = [] } = wanted;
  const tablesOf = ({ tables }: Schema): string[] =>
    tables.filter((table) => table.schema === schema && table.definition === null).map((table) => table.name);
  const others = desired.tables.filter((table) => table.schema === schema && table.name !== name);
  const conflict = {
    name,
    formerNames,
    there: tablesOf(actual),
    wanted: others.map((table) => table.name),
    claimed: others.flatMap((table) => table.formerNames ?? []),
  };
  const named = nameIn(conflict);
  if (!named) return undefined;
  const finding = {
    kind: 'renamed-table' as const,
    object: displayName(schema, name),
    table: { schema, name: named.from },
    ...factsOf(name, named),
  };
  return { finding, table: wanted, column: null };
}

function renamingOfColumn(
  actual: Schema,
  wanted: Table,
  name: string,
  formerNames: readonly string[],
): Renaming | undefined {
  const { schema } = wanted;
  const found = actual.tables.find((table) => table.schema === schema && table.name === wanted.name);
  if (!found) return undefined;
  const others = wanted.columns.filter((column) => column.name !== name);
  const named = nameIn({
    name,
    formerNames,
    there: found.columns.map((column) => column.name),
    wanted: others.map((column) => column.name),
    claimed: others.flatMap((column) => column.formerNames ?? []),
  });
  if (!named) return undefined;
  const finding = {
    kind: 'renamed-column' as const,
    object: displayName(schema, wanted.name, name),
    table: { schema, name: wanted.name },
    ...factsOf(name, named),
  };
  return { finding, table: wanted, column: name };
}

/** What a rename is about; what changes along with it is found later. */
function factsOf(to: string, named: Named) {
  return { desired: to, actual: named.from, ...named, to, names: [], types: [] };
}

interface Named {
  readonly from: string;
  readonly conflict: string | null;
}

interface Names {
  readonly name: string;
  readonly formerNames: readonly string[];
  readonly there: readonly string[];
  /** By other entities, or as other columns. */
  readonly wanted: readonly string[];
  /** As former names of others. */
  readonly claimed: readonly string[];
}

/** The former name that is there, and what makes it unclear whether it is the same thing. */
function nameIn(names: Names): Named | undefined {
  const { name, there, wanted, claimed } = names;
  const candidates = [...new Set(names.formerNames)].filter((each) => each !== name && there.includes(each));
  const [from, ...more] = candidates;
  if (from === undefined) return undefined;
  const list = candidates.join(', ');
  const conflict = there.includes(name)
    ? // What another entity wants under the old name is simply there, and the rename is long done.
      candidates.every((each) => wanted.includes(each))
      ? undefined
      : `both ${list} and ${name} are there`
    : more.length > 0
      ? `${list} are all there`
      : wanted.includes(from)
        ? `another entity or column is called ${from} now`
        : claimed.includes(from)
          ? `another entity or column says that it was called ${from}, too`
          : null;
  return conflict === undefined ? undefined : { from, conflict };
}

/** An enum that is named after its column or table gets its new name along with it. */
function withTypes(desired: Schema, { actual, renamings, unclear }: Renamed): Renamed {
  const types = withTypesAs(
    desired,
    actual,
    renamings.map(({ table }) => table),
  );
  const withOwn = renamings.map((renaming): Renaming => {
    const { finding, table, column } = renaming;
    const own = types.renamed.filter((type) => isOf(type, table, column, renamings));
    return { ...renaming, finding: { ...finding, types: own } };
  });
  return { actual: types.schema, renamings: withOwn, unclear };
}

/** To the column's renaming, where there is one; else to its table's. */
function isOf(
  type: { readonly table: Pick<Table, 'schema' | 'name'>; readonly column: string },
  table: Pick<Table, 'schema' | 'name'>,
  column: string | null,
  renamings: readonly Renaming[],
): boolean {
  if (!isSameName(type.table, table)) return false;
  if (column !== null) return column === type.column;
  return !renamings.some((other) => isSameName(type.table, other.table) && other.column === type.column);
}
