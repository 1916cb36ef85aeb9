import { displayName } from '../schema/identifier.js';
import type { RelationKind, Table } from '../schema/model.js';
import { compareColumns } from './compare-columns.js';
import { compareConstraints } from './compare-constraints.js';
import { compareIndexes } from './compare-indexes.js';
import { describeColumn } from './describe.js';
import type { Difference } from './drift-kind.js';

/** Partitioned tables are compared by their parent, whose columns, keys and indexes are its partitions' too. */
const HOLDS_ROWS: readonly RelationKind[] = ['table', 'partitioned table'];

export function compareTables(desired: readonly Table[], actual: readonly Table[]): Difference[] {
  const foundByName = new Map(actual.map((table) => [displayName(table.schema, table.name), table]));
  const differences = desired.flatMap((wanted) => {
    const name = displayName(wanted.schema, wanted.name);
    const found = foundByName.get(name);
    foundByName.delete(name);
    return found ? compareTable(wanted, found) : [missing(wanted)];
  });
  const extra = [...foundByName.values()].filter(({ kind }) => HOLDS_ROWS.includes(kind));
  return [...differences, ...extra.map(extraTable)];
}

function facts(table: Table): Pick<Difference, 'object' | 'table'> {
  return { object: displayName(table.schema, table.name), table };
}

function compareTable(wanted: Table, found: Table): Difference[] {
  if (!HOLDS_ROWS.includes(found.kind)) {
    return [
      { kind: 'not-a-table', ...facts(found), desired: 'table', actual: found.kind, found: found.kind },
    ];
  }
  return [
    ...compareComment(wanted, found),
    ...compareColumns(wanted, found),
    ...compareConstraints(wanted, found),
    ...compareIndexes(wanted, found),
  ];
}

function compareComment(wanted: Table, found: Table): Difference[] {
  if (wanted.comment === null || wanted.comment === found.comment) return [];
  const [desired, actual] = [wanted.comment, found.comment];
  return [{ kind: 'different-table-comment', ...facts(found), desired, actual, wanted: desired }];
}

function missing(wanted: Table): Difference {
  const columns = wanted.columns.map((column) => `${displayName(column.name)} ${describeColumn(column)}`);
  return {
    kind: 'missing-table',
    ...facts(wanted),
    desired: `table (${columns.join(', ')})`,
    actual: null,
    wanted,
  };
}

function extraTable(found: Table): Difference {
  return { kind: 'extra-table', ...facts(found), desired: null, actual: found.kind, found: found.kind };
}
