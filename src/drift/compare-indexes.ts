import { displayName } from '../schema/identifier.js';
import type { Index, Table } from '../schema/model.js';
import { describeIndex } from './describe.js';
import type { Difference } from './drift-kind.js';
import { matchByMeaning } from './match.js';

export function compareIndexes(wanted: Table, found: Table): Difference[] {
  const usable = found.indexes.filter(({ valid }) => valid);
  const broken = found.indexes.filter(({ valid }) => !valid);
  const matched = matchByMeaning(wanted.indexes, usable, describeIndex);
  const leftOver = new Set([...matched.found, ...broken]);
  const differences = matched.same.flatMap((pair) => comparePair(found, pair.wanted, pair.found));
  for (const index of matched.wanted) {
    const rival = [...leftOver].find(({ name }) => name === index.name);
    if (rival) leftOver.delete(rival);
    differences.push(compareRival(found, index, rival));
  }
  return [...differences, ...[...leftOver].map((index) => extra(found, index))];
}

function facts(table: Table, { name }: Index): Pick<Difference, 'object' | 'table'> {
  // An index is named within its schema, not within its table.
  return { object: displayName(table.schema, name), table };
}

function comparePair(table: Table, wanted: Index, found: Index): Difference[] {
  if (wanted.name === found.name) return [];
  const [desired, actual] = [wanted.name, found.name];
  return [
    {
      kind: 'named-differently',
      ...facts(table, found),
      desired,
      actual,
      is: 'index',
      wanted: desired,
      found: actual,
    },
  ];
}

function compareRival(table: Table, wanted: Index, found: Index | undefined): Difference {
  const named = facts(table, wanted);
  const desired = describeIndex(wanted);
  if (!found) return { kind: 'missing-index', ...named, desired, actual: null, wanted };
  if (found.valid)
    return { kind: 'different-index', ...named, desired, actual: describeIndex(found), wanted, found };
  return {
    kind: 'invalid-index',
    ...named,
    desired,
    actual: `${describeIndex(found)} INVALID`,
    wanted,
    found,
  };
}

function extra(table: Table, found: Index): Difference {
  return { kind: 'extra-index', ...facts(table, found), desired: null, actual: describeIndex(found), found };
}
