import type { Difference } from '../drift/drift-kind.js';
import { onlyName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { partsOfKey } from '../schema/key.js';
import type { Constraint, Index, Partition, PartitionIndex, QualifiedName, Table } from '../schema/model.js';
import { partitionIndexName } from '../schema/temporary-names.js';
import { createIndex, findTable } from './build-index.js';
import type { Hazard } from './hazard.js';
import { hazardIf, mayBeLarge, type PlanContext } from './proposal.js';
import { step, tableOf } from './statements.js';
import { loneUnit, unit, type Step, type Unit } from './step.js';

/** What the partitions of a table are to have: an index, and for a key the constraint that owns it. */
export interface Parted {
  readonly index: Pick<Index, 'name' | 'unique' | 'definition'>;
  readonly key: Constraint | null;
}

/** A table whose index is built partition by partition, as it is large and nobody is to wait. */
export function tableInParts(difference: Difference, context: PlanContext): Table | undefined {
  const table = findTable(context.actual.tables, tableOf(difference));
  if (table?.kind !== 'partitioned table' || context.execution !== 'online') return undefined;
  // A foreign table has no index to attach, and without it the parent's never becomes valid.
  if (table.partitions.some(({ kind }) => kind === 'foreign table')) return undefined;
  return mayBeLarge(table, context) ? table : undefined;
}

/**
 * PostgreSQL builds no index of a partitioned table concurrently. So it is made for the parent alone, INVALID, and
 * concurrently for each partition; with the last one that is attached it becomes valid. What a run that died has got
 * done already stays.
 * https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
 *
 * @param isThere the index of the table itself is, and lacks some partition's
 */
export function indexInParts(difference: Difference, table: Table, parted: Parted, isThere: boolean): Unit[] {
  const ofTable = isThere
    ? []
    : [unit(phaseOf(parted), makeOnly(difference, table, parted, parted.index.name))];
  return [...ofTable, ...ofPartitions(difference, table, table, parted, parted.index.name)];
}

/** A key of a table with partitions, as {@link indexInParts} takes it; null for one without a plain index. */
export function keyInParts(key: Constraint): Parted | null {
  const parts = partsOfKey(key);
  return parts && { index: { name: key.name, unique: true, definition: parts.index }, key };
}

/** Somebody else is at it. */
export function hazardOfParts({ partitions }: Table, { index }: Parted): Hazard | null {
  const building = partitions.find((partition) => carcassIn(partition, index.name)?.inProgress);
  return hazardIf(
    building !== undefined,
    'in-progress',
    `the index of ${building?.name} is being built right now by another session`,
  );
}

function ofPartitions(
  difference: Difference,
  table: Table,
  parent: QualifiedName,
  parted: Parted,
  parentIndex: string,
): Unit[] {
  return table.partitions
    .filter((partition) => partition.parent.schema === parent.schema && partition.parent.name === parent.name)
    .flatMap((partition) => {
      const attached = partition.indexes.find(({ attachedTo }) => attachedTo === parentIndex);
      const usable = attached ?? partition.indexes.find((index) => isUsable(index, partition, parted));
      const name = usable?.name ?? partitionIndexName(parted.index.name, partition);
      const index = { schema: partition.schema, name };
      const attach = attachment(difference, partition, { schema: parent.schema, name: parentIndex }, index);
      switch (partition.kind) {
        case 'foreign table':
          return [];
        case 'partitioned table':
          return [
            ...(usable ? [] : [unit(phaseOf(parted), makeOnly(difference, partition, parted, name))]),
            // A valid one has all of its partitions'.
            ...(usable?.valid ? [] : ofPartitions(difference, table, partition, parted, name)),
            ...(attached ? [] : [unit(phaseOf(parted), attach)]),
          ];
        case 'table':
          return attached ? [] : ofLeaf(difference, partition, parted, name, usable, attach);
      }
    });
}

function ofLeaf(
  difference: Difference,
  partition: Partition,
  parted: Parted,
  name: string,
  usable: PartitionIndex | undefined,
  attach: Step,
): Unit[] {
  const adopts = parted.key && !usable?.behindKey ? [adoption(difference, partition, parted.key, name)] : [];
  const units = [unit(phaseOf(parted), ...adopts, attach)];
  if (usable) return units;
  const cost = { table: onlyName(partition) };
  const sql = createIndex(partition, { ...parted.index, name }, 'CONCURRENTLY');
  const drop = `DROP INDEX CONCURRENTLY IF EXISTS ${quoteQualified({ schema: partition.schema, name })}`;
  const build = step(difference, 'create index', sql, SHARED, { ...cost, scans: true });
  const isLeft = partition.indexes.some((index) => index.name === name);
  return [
    ...(isLeft ? [loneUnit('index', step(difference, 'drop index', drop, SHARED, cost))] : []),
    loneUnit('index', build, drop),
    ...units,
  ];
}

const SHARED = 'SHARE UPDATE EXCLUSIVE';

/** Of a partition that has partitions itself, an index is INVALID until the last of them has its own. */
function isUsable(index: PartitionIndex, { kind }: Partition, { index: wanted, key }: Parted): boolean {
  return (
    index.attachedTo === null &&
    index.unique === wanted.unique &&
    index.definition === wanted.definition &&
    (index.valid || kind === 'partitioned table') &&
    (!index.behindKey || key !== null) &&
    (index.behindKey || key === null || kind === 'table')
  );
}

function carcassIn(partition: Partition, index: string): PartitionIndex | undefined {
  const name = partitionIndexName(index, partition);
  return partition.indexes.find((each) => each.name === name && !each.valid);
}

function phaseOf({ key }: Parted): 'key' | 'index' {
  return key ? 'key' : 'index';
}

/** The index of a table with partitions, without theirs. */
function makeOnly(difference: Difference, table: QualifiedName, { index, key }: Parted, name: string): Step {
  const cost = { table: onlyName(table) };
  if (key) {
    const clause = `ADD CONSTRAINT ${quoteIdentifier(name)} ${key.definition}`;
    const sql = `ALTER TABLE ONLY ${quoteQualified(table)} ${clause}`;
    return step(
      difference,
      `add ${key.type.replace('-', ' ')} without partitions`,
      sql,
      'ACCESS EXCLUSIVE',
      cost,
    );
  }
  const sql = createIndex(table, { ...index, name }, 'ONLY');
  return step(difference, 'create index without partitions', sql, 'SHARE', cost);
}

function adoption(difference: Difference, partition: Partition, key: Constraint, name: string): Step {
  const kind = key.type.replace('-', ' ').toUpperCase();
  const deferrable = partsOfKey(key)?.deferrable ?? '';
  const clause = `ADD CONSTRAINT ${quoteIdentifier(name)} ${kind} USING INDEX ${quoteIdentifier(name)}${deferrable}`;
  const sql = `ALTER TABLE ${quoteQualified(partition)} ${clause}`;
  return step(difference, `add ${key.type.replace('-', ' ')}`, sql, 'ACCESS EXCLUSIVE', {
    table: onlyName(partition),
  });
}

/** Locks the partition's index so that nobody reads meanwhile; it changes the catalog alone. */
function attachment(
  difference: Difference,
  partition: Partition,
  parent: QualifiedName,
  index: QualifiedName,
): Step {
  const sql = `ALTER INDEX ${quoteQualified(parent)} ATTACH PARTITION ${quoteQualified(index)}`;
  return step(difference, 'attach index', sql, 'ACCESS EXCLUSIVE', { table: onlyName(partition) });
}
