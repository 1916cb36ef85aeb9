import { setTimeout as sleep } from 'node:timers/promises';
import { HealingStoppedError } from '../errors.js';
import { hostOfRun } from '../journal/history.js';
import { queryRows, run, type Connect, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import { liftLimits } from '../schema/limits.js';
import { within } from '../within.js';
import { unlessStopped } from './stopping.js';

/** Who heals at the moment. */
export interface Healer {
  /** Of its session on the server. */
  readonly pid: number;
  /** Where the process runs, by its own name; null before it has begun its run. */
  readonly host: string | null;
  readonly applicationName: string;
  /** The client's address; null over a local socket. */
  readonly address: string | null;
  /** ISO 8601. */
  readonly since: string;
}

/** For messages: `hotel-7 (10.0.0.7), pid 4711, since 2026-11-24T12:00:00.000Z`. */
export function describeHealer({ host, address, pid, since }: Healer): string {
  const where = [host, host !== null && address !== null ? `(${address})` : address].filter(Boolean);
  return [where.join(' '), `pid ${pid}`, `since ${since}`].filter(Boolean).join(', ');
}

/** 'amig': keeps our advisory locks apart from the application's. */
const LOCK_CLASS = 0x616d6967;
const POLL_MS = 100;
const RELEASE_TIMEOUT_MS = 2000;

/** The lock that makes a process the only healer of a database. */
export interface HealerLock {
  /** Somebody else had it while we waited: what was to do may be done. */
  readonly isSecondHand: boolean;
  /** Aborts when the lock's session is gone, and the lock with it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lock by trying: a session that waits inside pg_advisory_lock deadlocks with CREATE INDEX CONCURRENTLY. It is
 * held in an open transaction on a session of its own, so it goes with a crash and survives transaction pooling. Who
 * waits has none open, as that would occupy a connection of the pooler's for nothing.
 *
 * @param waitMs how long to go on trying
 * @param onWait told once, before the first pause
 * @returns null when another process kept it for so long
 * @throws HealingStoppedError once the signal aborts
 */
export async function acquireHealerLock(
  connect: Connect,
  journalSchema: string,
  waitMs: number,
  signal: AbortSignal,
  onWait?: () => Promise<void>,
): Promise<HealerLock | null> {
  const session = await unlessStopped(connect(), signal, (late) => late.close());
  try {
    const deadline = Date.now() + waitMs;
    let isSecondHand = false;
    while (!(await tryLock(session, journalSchema))) {
      if (signal.aborted) throw new HealingStoppedError('Stopped while another process was healing.');
      if (Date.now() >= deadline) {
        await session.close();
        return null;
      }
      if (!isSecondHand) await onWait?.();
      isSecondHand = true;
      await sleep(POLL_MS + Math.random() * POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    return { isSecondHand, lost: lossOf(session), release: () => release(session) };
  } catch (error) {
    await session.close();
    throw error;
  }
}

function lossOf({ lost }: Connection): AbortSignal {
  const loss = new AbortController();
  const tell = (): void => loss.abort(new HealingStoppedError('the lock session was lost'));
  if (lost.aborted) tell();
  else lost.addEventListener('abort', tell, { once: true });
  return loss.signal;
}

/**
 * A pooler would throw away a connection that is left inside a transaction. Where nobody answers, the server finds out
 * by itself.
 */
async function release(session: Connection): Promise<void> {
  await within(
    RELEASE_TIMEOUT_MS,
    run(session, 'rollback').catch(() => undefined),
  );
  await session.close();
}

/** READ COMMITTED and idle, a transaction has neither xid nor xmin, so it holds up no concurrent index build. */
const OPEN = `begin isolation level read committed; select ${liftLimits('transaction')}`;

/** Databases are told apart by PostgreSQL itself: advisory locks are per database. */
function key(journalSchema: string): string {
  return `hashtext(${quoteLiteral(journalSchema)})`;
}

/** Leaves the transaction open only where the lock is taken. */
async function tryLock(session: Connection, journalSchema: string): Promise<boolean> {
  // Without parameters: an answered query of the extended protocol leaves its portal open in the transaction, and the
  // portal's snapshot is what a concurrent index build waits for.
  const sql = `${OPEN}; select pg_try_advisory_xact_lock(${LOCK_CLASS}, ${key(journalSchema)}) as taken`;
  const taken = [await session.query(sql)].flat().at(-1)?.rows[0]?.['taken'] === true;
  if (!taken) await run(session, 'rollback');
  return taken;
}

/** The process that holds the lock; null when nobody does. */
export async function currentHealer(connection: Connection, journalSchema: string): Promise<Healer | null> {
  const sql = `select a.pid, a.application_name as "applicationName", host(a.client_addr) as address,
      to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.classid = ${LOCK_CLASS} and l.objid::int8 = (${key(journalSchema)}::int8 & 4294967295)
      and l.database = (select oid from pg_database where datname = current_database())`;
  const [row] = await queryRows<Omit<Healer, 'host'>>(connection, sql);
  return row ? { ...row, host: await hostOfRun(connection, journalSchema, row.since) } : null;
}
