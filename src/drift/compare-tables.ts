import { displayName } from '../schema/identifier.js';
import type { Index, RelationKind, Schema, Table } from '../schema/model.js';
import { compareColumns } from './compare-columns.js';
import { compareConstraints } from './compare-constraints.js';
import { compareIndexes } from './compare-indexes.js';
import { describeColumn } from './describe.js';
import type { Difference } from './drift-kind.js';
import { withLeftovers } from './leftover-index.js';

/** Partitioned tables are compared by their parent, whose columns, keys and indexes are its partitions' too. */
const HOLDS_ROWS: readonly RelationKind[] = ['table', 'partitioned table'];

/** A table at a time, so that a caller with others to serve can pause in between. */
export function* compareTables(desired: Schema, actual: Schema): Generator<Difference[]> {
  const foundByName = new Map(actual.tables.map((table) => [displayName(table.schema, table.name), table]));
  const views = desired.tables.filter(isView);
  for (const wanted of desired.tables) {
    const name = displayName(wanted.schema, wanted.name);
    const found = foundByName.get(name);
    foundByName.delete(name);
    yield found ? compareTable(wanted, found, views) : [missing(wanted)];
  }
  // Of an entity that cannot be made nobody knows what it would be; what is there is not extra.
  for (const { schema, name } of desired.refused) foundByName.delete(displayName(schema, name));
  const left = [...foundByName.values()];
  // What builds on others comes before them, as it would have to be dropped before them.
  yield left.filter(isView).toReversed().map(extraView);
  yield left.filter(({ kind }) => HOLDS_ROWS.includes(kind)).map(extraTable);
}

function facts(table: Table): Pick<Difference, 'object' | 'table'> {
  return { object: displayName(table.schema, table.name), table };
}

function compareTable(wanted: Table, found: Table, views: readonly Table[]): Difference[] {
  if (isView(wanted) ? found.kind !== wanted.kind : !HOLDS_ROWS.includes(found.kind)) {
    const { kind } = found;
    return [{ kind: 'different-relation', ...facts(found), desired: wanted.kind, actual: kind, found: kind }];
  }
  const ofIndexes = compareIndexes(wanted, found);
  if (isView(wanted))
    return [
      ...compareView(wanted, found, views),
      ...compareComment(wanted, found),
      ...withLeftovers(ofIndexes, found),
    ];
  const extra = new Set(ofIndexes.flatMap((each) => (each.kind === 'extra-index' ? [each.found] : [])));
  // A key of a partitioned table takes no index that is there.
  const spares = found.kind === 'table' ? extra : new Set<Index>();
  const differences = [
    ...compareColumns(wanted, found, views),
    ...compareConstraints(wanted, found, spares),
    ...compareComment(wanted, found),
    ...ofIndexes.filter((each) => each.kind !== 'extra-index' || extra.has(each.found)),
  ];
  return withLeftovers(differences, found);
}

function isView({ kind }: Table): boolean {
  return kind === 'view' || kind === 'materialized view';
}

function compareView(wanted: Table, found: Table, views: readonly Table[]): Difference[] {
  if (wanted.definition === found.definition) return [];
  const [desired, actual] = [wanted.definition, found.definition];
  return [{ kind: 'different-view', ...facts(found), desired, actual, wanted, found, views }];
}

function compareComment(wanted: Table, found: Table): Difference[] {
  if (wanted.comment === null || wanted.comment === found.comment) return [];
  const [desired, actual] = [wanted.comment, found.comment];
  return [{ kind: 'different-table-comment', ...facts(found), desired, actual, wanted: desired }];
}

function missing(wanted: Table): Difference {
  if (isView(wanted)) {
    const desired = `${wanted.kind} ${wanted.definition}`;
    return { kind: 'missing-view', ...facts(wanted), desired, actual: null, wanted };
  }
  return { kind: 'missing-table', ...facts(wanted), desired: describeTable(wanted), actual: null, wanted };
}

function describeTable({ kind, columns }: Table): string {
  const texts = columns.map((column) => `${displayName(column.name)} ${describeColumn(column)}`);
  return `${kind} (${texts.join(', ')})`;
}

function extraTable(found: Table): Difference {
  const actual = describeTable(found);
  return { kind: 'extra-table', ...facts(found), desired: null, actual, found: found.kind };
}

function extraView(found: Table): Difference {
  const actual = `${found.kind} ${found.definition}`;
  return { kind: 'extra-view', ...facts(found), desired: null, actual, found };
}
