import type pg from 'pg';
import { queryRows, type Connection } from '../../src/schema/connection.js';

/** What pg has to send what a standby says; its types do not know it. */
interface CopyingClient {
  readonly connection: { sendCopyFromChunk(chunk: Buffer): void };
}

/**
 * Lets a client that was opened for replication follow the log from here, and say once that it has replayed all that is
 * there by now. https://www.postgresql.org/docs/current/protocol-replication.html
 */
export async function followFrom(client: pg.Client, primary: Connection): Promise<void> {
  const [row] = await queryRows<{ lsn: string; position: string }>(
    primary,
    `select pg_current_wal_flush_lsn() as lsn, pg_current_wal_flush_lsn() - '0/0'::pg_lsn as position`,
  );
  if (!row) throw new TypeError('A server tells where its log ends');
  // It is answered when the server is stopped.
  client.query(`START_REPLICATION PHYSICAL ${row.lsn}`).catch(() => undefined);
  while ((await replayed(primary)) === null) {
    (client as unknown as CopyingClient).connection.sendCopyFromChunk(statusUpdate(BigInt(row.position)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function replayed(primary: Connection): Promise<string | null> {
  const [row] = await queryRows<{ lsn: string | null }>(
    primary,
    'select replay_lsn as lsn from pg_stat_replication',
  );
  return row?.lsn ?? null;
}

/** Written, flushed and applied up to a position; no clock, and no answer asked for. */
function statusUpdate(position: bigint): Buffer {
  const message = Buffer.alloc(34);
  message.write('r');
  for (const offset of [1, 9, 17]) message.writeBigInt64BE(position, offset);
  return message;
}
