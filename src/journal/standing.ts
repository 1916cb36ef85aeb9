import type { Drift } from '../plan/plan.js';
import { NOTHING_STANDS, type Standing } from '../plan/standing.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { journalTable, journalTablesIn } from './journal-tables.js';

/** What earlier runs have written down that planning has to know. */
export async function readStanding(connection: Connection, schema: string): Promise<Standing> {
  const tables = await journalTablesIn(connection, schema);
  if (!tables.has('not_converging')) return NOTHING_STANDS;
  const sql = `select drift_id as id from ${journalTable(schema, 'not_converging')}`;
  const rows = await queryRows<{ id: string }>(connection, sql);
  return { notConverging: new Set(rows.map(({ id }) => id)) };
}

/**
 * Notes which findings were applied and are still wanted, so that no run does it again; and forgets those that are no
 * longer found.
 */
export async function noteNotConverging(
  connection: Connection,
  schema: string,
  stubborn: readonly Drift[],
  found: readonly Drift[],
): Promise<void> {
  const table = journalTable(schema, 'not_converging');
  await connection.query(`delete from ${table} where drift_id <> all ($1)`, [found.map(({ id }) => id)]);
  const insert = `insert into ${table} (drift_id, object, desired, actual) values ($1, $2, $3, $4) on conflict do nothing`;
  for (const { id, object, desired, actual } of stubborn)
    await connection.query(insert, [id, object, desired, actual]);
}
