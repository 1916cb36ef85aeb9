import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier } from '../schema/identifier.js';
import { partsOfKey } from '../schema/key.js';
import type { Index, Table } from '../schema/model.js';
import { temporaryIndexName } from '../schema/temporary-names.js';
import { buildIndex, dropIndex, findTable, hazardOfConcurrentBuild, isConcurrent } from './build-index.js';
import type { Hazard } from './hazard.js';
import { hazardIfInProgress } from './plan-indexes.js';
import { hazardOfParts, indexInParts, keyInParts, tableInParts, type Parted } from './plan-partitions.js';
import { mayBeLarge, type PlanContext } from './proposal.js';
import { alterTable, tableOf } from './statements.js';
import { unit, type Step, type Unit } from './step.js';

type AddingKey = Difference<'missing-constraint' | 'different-constraint'>;

/**
 * A key takes a unique index that is there, so that its own lock is short. On a large table the index is built for it
 * while others read and write; the index then gets the key's name.
 * https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX
 *
 * @param before in the transaction of the key: what it replaces
 * @returns null where the key has to build its index itself, or may
 */
export function keyUnits(
  difference: AddingKey,
  context: PlanContext,
  before: readonly Step[],
): Unit[] | null {
  const { wanted, spare } = difference;
  const parts = partsOfKey(wanted);
  if (!parts) return null;
  const parted = partedKey(difference, context);
  if (parted) return indexInParts(difference, parted.table, parted.key, false);
  const adopt = (index: string): Unit => {
    const kind = wanted.type === 'primary-key' ? 'PRIMARY KEY' : 'UNIQUE';
    const clause = `ADD CONSTRAINT ${quoteIdentifier(wanted.name)} ${kind} USING INDEX ${quoteIdentifier(index)}${parts.deferrable}`;
    return unit('key', ...before, alterTable(difference, `add ${wanted.type.replace('-', ' ')}`, clause));
  };
  if (spare) return [adopt(spare.name)];
  if (!isBuiltFirst(difference, context)) return null;
  const name = temporaryIndexName(wanted.name);
  const left = leftIndex(difference, context);
  return [
    // A run that died may have left it half-built.
    ...(left ? [dropIndex(difference, left, context)] : []),
    buildIndex(difference, { name, unique: true, definition: parts.index }, context),
    adopt(name),
  ];
}

/** What speaks against building the index of a key concurrently. */
export function keyHazards(difference: AddingKey, context: PlanContext): (Hazard | null)[] {
  const parted = partedKey(difference, context);
  if (parted) return [hazardOfParts(parted.table, parted.key), hazardOfConcurrentBuild(context)];
  if (difference.spare || !isBuiltFirst(difference, context)) return [];
  return [hazardIfInProgress(leftIndex(difference, context)), hazardOfConcurrentBuild(context)];
}

/** One that replaces another cannot come partition by partition: there would be none meanwhile. */
function partedKey(
  difference: AddingKey,
  context: PlanContext,
): { readonly table: Table; readonly key: Parted } | null {
  if (difference.kind === 'different-constraint') return null;
  const key = keyInParts(difference.wanted);
  const table = key && tableInParts(difference, context);
  return table ? { table, key } : null;
}

function isBuiltFirst(difference: AddingKey, context: PlanContext): boolean {
  const table = tableOf(difference);
  return partsOfKey(difference.wanted) !== null && isConcurrent(table, context) && mayBeLarge(table, context);
}

function leftIndex(difference: AddingKey, { actual }: PlanContext): Index | undefined {
  const name = temporaryIndexName(difference.wanted.name);
  return findTable(actual.tables, tableOf(difference))?.indexes.find((index) => index.name === name);
}
