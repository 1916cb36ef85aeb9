import type { Drift } from '../plan/plan.js';
import type { Standing } from '../plan/standing.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { readApprovals } from './approvals.js';
import { askOf, type Claims, type Release } from './claims.js';
import { readFills } from './fills.js';
import { readPins, readUndos } from './undos.js';
import { journalTable, journalTablesIn } from './journal-tables.js';

/** What earlier runs, and other releases, have written down that planning has to know. */
export async function readStanding(
  connection: Connection,
  schema: string,
  claims: Claims,
  release: Release,
): Promise<Standing> {
  const tables = await journalTablesIn(connection, schema);
  const notConverging = tables.has('not_converging') ? await readNotConverging(connection, schema) : [];
  const rival = tables.has('claim') ? await claims.rival(askOf(connection), release) : null;
  const given = tables.has('approval') ? await readApprovals(connection, schema) : null;
  return {
    keepsDecisions: tables.has('approval') && tables.has('undo'),
    approvals: given?.approvals ?? new Map(),
    voided: given?.voided ?? new Map(),
    undos: tables.has('undo') ? await readUndos(connection, schema) : [],
    pins: tables.has('pin') ? await readPins(connection, schema) : new Map(),
    notConverging: new Set(notConverging),
    fills: tables.has('fill') ? await readFills(connection, schema) : new Map(),
    olderReleaseIsAlive: rival !== null,
    olderRelease: rival && claims.describe(rival),
  };
}

async function readNotConverging(connection: Connection, schema: string): Promise<string[]> {
  const sql = `select drift_id as id from ${journalTable(schema, 'not_converging')}`;
  return (await queryRows<{ id: string }>(connection, sql)).map(({ id }) => id);
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
