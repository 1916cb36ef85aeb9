import { partsOfKey } from '../schema/key.js';
import type { Index, Table } from '../schema/model.js';
import { isTemporaryIndex, temporaryIndexName } from '../schema/temporary-names.js';
import type { Difference } from './drift-kind.js';

/** REINDEX CONCURRENTLY builds under the first name, and drops what bears the second at its end. */
const OF_REINDEX = /_cc(?:new|old)\d*$/;
const OF_REINDEX_BUILD = /_ccnew\d*$/;

/**
 * Tells indexes that a run of ours or a REINDEX CONCURRENTLY has left behind from those that somebody wants.
 * https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
 */
export function withLeftovers(differences: readonly Difference[], table: Table): Difference[] {
  const awaited = new Set(differences.flatMap(namesToCome));
  return differences.map((difference) => {
    if (difference.kind !== 'extra-index' || awaited.has(difference.found.name)) return difference;
    const { found } = difference;
    const isLeft = isTemporaryIndex(found.name) || (!found.valid && OF_REINDEX.test(found.name));
    if (!isLeft) return difference;
    const actual = found.valid ? difference.actual : `${difference.actual} INVALID`;
    return { ...difference, kind: 'leftover-index', actual, twin: twinOf(found, table) };
  });
}

/** An index that is being built for something else, or has been, is not left: the planner of that one goes on with it. */
function namesToCome(difference: Difference): string[] {
  switch (difference.kind) {
    case 'missing-constraint':
    case 'different-constraint':
    case 'different-index':
      return [temporaryIndexName(difference.wanted.name)];
    default:
      return [];
  }
}

/** The valid index that a failed REINDEX was to renew. Where it is, its new version is of no use to anybody. */
function twinOf(found: Index, { indexes, constraints }: Table): string | null {
  if (!OF_REINDEX_BUILD.test(found.name)) return null;
  const twin =
    indexes.find(
      ({ valid, unique, definition }) => valid && unique === found.unique && definition === found.definition,
    ) ?? constraints.find((key) => found.unique && partsOfKey(key)?.index === found.definition);
  return twin?.name ?? null;
}
