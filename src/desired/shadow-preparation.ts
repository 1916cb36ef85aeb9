import { queryRows, run, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';

/** Any number that others are unlikely to lock: the first bytes of the name, as PostgreSQL has it in pg_locks. */
const BUILDER = Buffer.from('amshadow').readBigInt64BE();

/** One builder at a time over all processes, for as long as its transaction lasts. Never waits. */
export async function isBuildersTurn(connection: Connection): Promise<boolean> {
  const [row] = await queryRows<{ locked: boolean }>(
    connection,
    `select pg_try_advisory_xact_lock(${BUILDER}) as locked`,
  );
  return row?.locked === true;
}

/** What the role may not install is a finding of its own; tables that need it are refused by the server. */
export async function createExtensions(
  connection: Connection,
  extensions: readonly QualifiedName[],
): Promise<void> {
  for (const { schema, name } of extensions) {
    await run(connection, 'savepoint extension');
    try {
      await run(
        connection,
        `create extension if not exists ${quoteIdentifier(name)} schema ${quoteIdentifier(schema)}`,
      );
    } catch (error) {
      if (connection.lost.aborted) throw error;
      await run(connection, 'rollback to savepoint extension');
    }
  }
}
