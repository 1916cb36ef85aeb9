import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Index, QualifiedName, Table } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import { step, tableOf } from './statements.js';
import { loneUnit, unit, type Unit } from './step.js';

export function createIndex(
  table: QualifiedName,
  index: Pick<Index, 'name' | 'unique' | 'definition'>,
  how: 'CONCURRENTLY' | 'ONLY' | null = null,
): string {
  const create = index.unique ? 'CREATE UNIQUE INDEX' : 'CREATE INDEX';
  const concurrently = how === 'CONCURRENTLY' ? ' CONCURRENTLY' : '';
  const only = how === 'ONLY' ? ' ONLY' : '';
  return `${create}${concurrently} ${quoteIdentifier(index.name)} ON${only} ${quoteQualified(table)} ${index.definition}`;
}

/** The unit that makes an index; others read and write meanwhile where PostgreSQL can build it concurrently. */
export function buildIndex(
  difference: Difference,
  index: Pick<Index, 'name' | 'unique' | 'definition'>,
  context: PlanContext,
): Unit {
  const table = tableOf(difference);
  if (!isConcurrent(table, context)) {
    const create = createIndex(table, index);
    return unit('index', step(difference, 'create index', create, 'SHARE', { scans: true }));
  }
  const name = quoteQualified({ schema: table.schema, name: index.name });
  const sql = createIndex(table, index, 'CONCURRENTLY');
  const create = step(difference, 'create index', sql, 'SHARE UPDATE EXCLUSIVE', { scans: true });
  return loneUnit('index', create, `DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

export function dropIndex(
  difference: Difference,
  index: Pick<Index, 'name'>,
  context: Pick<PlanContext, 'execution' | 'actual'>,
): Unit {
  const table = tableOf(difference);
  const drops = { schema: table.schema, name: index.name };
  const name = quoteQualified(drops);
  if (!isConcurrent(table, context))
    return unit('index', step(difference, 'drop index', `DROP INDEX IF EXISTS ${name}`, 'ACCESS EXCLUSIVE'));
  const sql = `DROP INDEX CONCURRENTLY IF EXISTS ${name}`;
  return { ...loneUnit('index', step(difference, 'drop index', sql, 'SHARE UPDATE EXCLUSIVE')), drops };
}

/** PostgreSQL builds no index of a partitioned table concurrently. */
export function isConcurrent(
  table: QualifiedName,
  { execution, actual }: Pick<PlanContext, 'execution' | 'actual'>,
): boolean {
  return execution === 'online' && findTable(actual.tables, table)?.kind !== 'partitioned table';
}

export function findTable(tables: readonly Table[], { schema, name }: QualifiedName): Table | undefined {
  return tables.find((table) => table.schema === schema && table.name === name);
}

/** https://www.postgresql.org/docs/release/14.4/ */
const CONCURRENT_BUILDS_ARE_SOUND_SINCE = 140004;

export function hazardOfConcurrentBuild({ actual }: PlanContext): Hazard | null {
  return hazardIf(
    actual.serverVersion < CONCURRENT_BUILDS_ARE_SOUND_SINCE,
    'server-bug',
    'PostgreSQL 14.0 to 14.3 can corrupt an index that is built concurrently; update to 14.4',
  );
}
