import { randomBytes } from 'node:crypto';
import { describeError, DesiredSchemaError, SqlState, sqlStateOf } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';

/** For each namespace the one that stands for it in the shadow. */
export type Places = ReadonlyMap<string, string>;

const ONLY_READS =
  '; the server is a standby or the session only reads, and what these entities ask for is not remembered yet: heal the primary once, or look at it instead';

/** Schemas with names that occur nowhere else; null for a role that may not create any. */
export async function openSchemas(
  connection: Connection,
  namespaces: readonly string[],
): Promise<Places | null> {
  await run(connection, 'savepoint places');
  const token = `auto_migration_shadow_${randomBytes(6).toString('hex')}`;
  const places = new Map(namespaces.map((namespace, i) => [namespace, `${token}_${i}`]));
  try {
    for (const place of places.values()) await run(connection, `create schema ${quoteIdentifier(place)}`);
    return places;
  } catch (error) {
    const state = sqlStateOf(error);
    if (state !== SqlState.insufficientPrivilege) {
      const hint = state === SqlState.readOnly ? ONLY_READS : '';
      throw new DesiredSchemaError(undefined, `${describeError(error)}${hint}`);
    }
    await run(connection, 'rollback to savepoint places');
    return null;
  }
}

/** The session's temporary schema, one for all namespaces: they take turns. */
export async function openTemporarySchema(connection: Connection): Promise<string> {
  try {
    // The session has no temporary schema before its first temporary table.
    await run(connection, 'create temporary table auto_migration_probe () on commit drop');
    await run(connection, 'drop table pg_temp.auto_migration_probe');
  } catch (error) {
    const needs = 'the role needs CREATE or TEMPORARY on the database to compare';
    throw new DesiredSchemaError(undefined, `${describeError(error)}; ${needs}`);
  }
  const sql = 'select nspname as name from pg_namespace where oid = pg_my_temp_schema()';
  const [row] = await queryRows<{ name: string }>(connection, sql);
  return row?.name ?? 'pg_temp';
}
