import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import { temporaryIndexName } from '../schema/temporary-names.js';
import type { Index, QualifiedName, Schema, Table } from '../schema/model.js';
import type { Difference } from '../drift/drift-kind.js';
import type { Hazard } from './hazard.js';
import { needsCreate } from './privileges.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { violatesUnique } from './question.js';
import { step, tableOf } from './statements.js';
import { loneUnit, unit, type Unit } from './step.js';

export function createIndex(table: QualifiedName, index: Index, concurrently = false): string {
  const create = index.unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX';
  const how = concurrently ? ' CONCURRENTLY' : '';
  return `${create}${how} ${quoteIdentifier(index.name)} ON ${quoteQualified(table)} ${index.definition}`;
}

export const planMissingIndex: Planner<'missing-index'> = (difference, context) => {
  const { wanted } = difference;
  return propose([build(difference, wanted, context)], hazardsOfBuild(difference, wanted, context));
};

/** A carcass of a build that failed. While the build is still going on, it is nobody's to touch. */
export const planInvalidIndex: Planner<'invalid-index'> = (difference, context) => {
  const { wanted, found } = difference;
  const building = hazardIf(found.inProgress, 'in-progress', 'is being built right now by another session');
  const hazards = [building, ...hazardsOfBuild(difference, wanted, context)];
  return propose([dropUnit(difference, found, context), build(difference, wanted, context)], hazards);
};

/** The new one is built before the old one goes, so that queries are never without. */
export const planDifferentIndex: Planner<'different-index'> = (difference, context) => {
  const { wanted, found } = difference;
  const replacement = { ...wanted, name: temporaryIndexName(wanted.name) };
  const { schema } = tableOf(difference);
  const rename = `ALTER INDEX ${quoteQualified({ schema, name: replacement.name })} RENAME TO ${quoteIdentifier(wanted.name)}`;
  // A run that died may have left it half-built.
  const isLeft = indexesOf(tableOf(difference), context).some(({ name }) => name === replacement.name);
  const units = [
    ...(isLeft ? [dropUnit(difference, replacement, context)] : []),
    build(difference, replacement, context),
    dropUnit(difference, found, context),
    unit('index', step(difference, 'rename index', rename, 'SHARE UPDATE EXCLUSIVE')),
  ];
  return propose(units, hazardsOfBuild(difference, wanted, context));
};

function build(difference: Difference, index: Index, context: PlanContext): Unit {
  const table = tableOf(difference);
  const name = quoteQualified({ schema: table.schema, name: index.name });
  if (!isConcurrent(table, context)) {
    return unit(
      'index',
      step(difference, 'create index', createIndex(table, index), 'SHARE', { scans: true }),
    );
  }
  const sql = createIndex(table, index, true);
  const create = step(difference, 'create index', sql, 'SHARE UPDATE EXCLUSIVE', { scans: true });
  return loneUnit('index', create, `DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

function dropUnit(difference: Difference, index: Index, context: PlanContext): Unit {
  const table = tableOf(difference);
  const name = quoteQualified({ schema: table.schema, name: index.name });
  return isConcurrent(table, context)
    ? loneUnit(
        'index',
        step(difference, 'drop index', `DROP INDEX CONCURRENTLY IF EXISTS ${name}`, 'SHARE UPDATE EXCLUSIVE'),
      )
    : unit('index', step(difference, 'drop index', `DROP INDEX IF EXISTS ${name}`, 'ACCESS EXCLUSIVE'));
}

/** PostgreSQL builds no index of a partitioned table concurrently. */
function isConcurrent(table: QualifiedName, { execution, actual }: PlanContext): boolean {
  return execution === 'online' && !isPartitioned(actual, table);
}

function isPartitioned({ tables }: Schema, table: QualifiedName): boolean {
  return findTable(tables, table)?.kind === 'partitioned table';
}

function indexesOf(table: QualifiedName, { actual }: PlanContext): readonly Index[] {
  return findTable(actual.tables, table)?.indexes ?? [];
}

function findTable(tables: readonly Table[], { schema, name }: QualifiedName): Table | undefined {
  return tables.find((table) => table.schema === schema && table.name === name);
}

/** https://www.postgresql.org/docs/release/14.4/ */
const CONCURRENT_BUILDS_ARE_SOUND_SINCE = 140004;

function hazardsOfBuild(difference: Difference, index: Index, context: PlanContext): (Hazard | null)[] {
  const table = tableOf(difference);
  const duplicated = index.unique && context.ask(violatesUnique(table, index));
  const concurrent = isConcurrent(table, context);
  const blocks = !concurrent && context.execution === 'online' && mayBeLarge(table, context);
  const unsound = concurrent && context.actual.serverVersion < CONCURRENT_BUILDS_ARE_SOUND_SINCE;
  return [
    needsCreate(table.schema, context),
    hazardIf(
      duplicated,
      'violated',
      'rows have the same values; make them different, or the index not unique',
    ),
    hazardIf(blocks, 'blocks', 'it is built under a lock that stops all writes, and the table is large'),
    hazardIf(
      unsound,
      'server-bug',
      'PostgreSQL 14.0 to 14.3 can corrupt an index that is built concurrently; update to 14.4',
    ),
  ];
}
