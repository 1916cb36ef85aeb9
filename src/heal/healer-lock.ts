import { setTimeout as sleep } from 'node:timers/promises';
import { HealingStoppedError } from '../errors.js';
import { queryRows, run, type Connect, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';

/** Who heals at the moment. */
export interface Healer {
  readonly pid: number;
  readonly applicationName: string;
  /** The client's address; null over a local socket. */
  readonly address: string | null;
  /** ISO 8601. */
  readonly since: string;
}

/** 'amig': keeps our advisory locks apart from the application's. */
const LOCK_CLASS = 0x616d6967;
const POLL_MS = 100;

/** The lock that makes a process the only healer of a database. */
export interface HealerLock {
  /** Aborts when the lock's session is gone, and the lock with it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lock by trying: a session that waits inside pg_advisory_lock deadlocks with CREATE INDEX CONCURRENTLY. It is
 * held in an open transaction on a session of its own, so it goes with a crash and survives transaction pooling.
 *
 * @param waitMs how long to go on trying
 * @returns null when another process kept it for so long
 * @throws HealingStoppedError once the signal aborts
 */
export async function acquireHealerLock(
  connect: Connect,
  journalSchema: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<HealerLock | null> {
  const connection = await connect();
  try {
    await openTransaction(connection);
    const deadline = Date.now() + waitMs;
    while (!(await tryLock(connection, journalSchema))) {
      if (signal.aborted) throw new HealingStoppedError('Stopped while another process was healing.');
      if (Date.now() >= deadline) {
        await connection.close();
        return null;
      }
      await sleep(POLL_MS + Math.random() * POLL_MS);
    }
    return { lost: connection.lost, release: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** READ COMMITTED and idle, it has neither xid nor xmin, so it holds up no concurrent index build. */
async function openTransaction(connection: Connection): Promise<void> {
  await run(connection, 'begin isolation level read committed');
  await run(connection, 'set local idle_in_transaction_session_timeout = 0');
  const sql = `select set_config(name, '0', true) from pg_settings where name in ('transaction_timeout', 'idle_session_timeout')`;
  await run(connection, sql);
}

/** Databases are told apart by PostgreSQL itself: advisory locks are per database. */
function key(journalSchema: string): string {
  return `hashtext(${quoteLiteral(journalSchema)})`;
}

async function tryLock(connection: Connection, journalSchema: string): Promise<boolean> {
  // Without parameters: an answered query of the extended protocol leaves its portal open in the transaction, and the
  // portal's snapshot is what a concurrent index build waits for.
  const sql = `select pg_try_advisory_xact_lock(${LOCK_CLASS}, ${key(journalSchema)}) as taken`;
  const [row] = await queryRows<{ taken: boolean }>(connection, sql);
  return row?.taken === true;
}

/** The process that holds the lock; null when nobody does. */
export async function currentHealer(connection: Connection, journalSchema: string): Promise<Healer | null> {
  const sql = `select a.pid, a.application_name as "applicationName", host(a.client_addr) as address,
      to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.classid = ${LOCK_CLASS} and l.objid::int8 = (${key(journalSchema)}::int8 & 4294967295)
      and l.database = (select oid from pg_database where datname = current_database())`;
  const [row] = await queryRows<Healer>(connection, sql);
  return row ?? null;
}
