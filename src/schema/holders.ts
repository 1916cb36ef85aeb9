import { displayName, quoteLiteral } from './identifier.js';
import { queryRows, type Connection } from './connection.js';

/** Somebody has what a reading has to open for himself alone. */
export class SchemaLockedError extends Error {
  constructor(waitedMs: number, holders: readonly string[]) {
    const who = holders.length > 0 ? holders.join(', ') : 'who had it has let go since';
    super(
      `The schema could not be read: a lock was waited for ${waitedMs / 1000} s in vain. ${who}. Nothing was compared or changed. The next look tries again; what is stuck can be ended with pg_terminate_backend or ROLLBACK PREPARED.`,
    );
  }
}

/** Which prepared transaction has a lock of nobody's; it has one on its own number, too. */
const PREPARED = `select p.gid from pg_prepared_xacts p join pg_locks own on own.transactionid = p.transaction
  where own.pid is null and own.virtualtransaction = l.virtualtransaction limit 1`;

interface Holder {
  readonly schema: string;
  readonly name: string;
  readonly isInScope: boolean;
  /** Null for a prepared transaction. */
  readonly pid: number | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly prepared: string | null;
  /** Whom he waits for; empty where he has it. */
  readonly behind: readonly number[];
}

/**
 * Tells who has, or waits for, a lock that keeps a reading from opening a table or a sequence. What he runs is left out, as
 * it may hold the application's data. Views and partitions may lead to any schema: where nobody has anything of these, those
 * are told who have something of another.
 * https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
 */
export async function describeHolders(connection: Connection, schemas: readonly string[]): Promise<string[]> {
  const holders = await queryRows<Holder>(
    connection,
    `select n.nspname as schema, c.relname as name, n.nspname in (${schemas.map(quoteLiteral).join(', ')}) as "isInScope",
      l.pid, a.application_name as application, coalesce(a.state, a.backend_type) as state,
      case when l.pid is null then (${PREPARED}) end as prepared,
      case when l.granted then '{}' else pg_blocking_pids(l.pid) end as behind
    from pg_locks l
    join pg_class c on c.oid = l.relation and c.relkind not in ('i', 'I', 't')
    join pg_namespace n on n.oid = c.relnamespace and n.nspname <> 'pg_catalog'
    left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.pid is distinct from pg_backend_pid()
      and (l.mode = 'AccessExclusiveLock'
        or c.relkind = 'S' and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock'))
      and l.database = (select oid from pg_database where datname = current_database())
    order by 1, 2, l.granted desc`,
  );
  const ofThese = holders.filter(({ isInScope }) => isInScope);
  return (ofThese.length > 0 ? ofThese : holders).map(describe);
}

function describe({ schema, name, pid, application, state, prepared, behind }: Holder): string {
  const what = displayName(schema, name);
  if (pid === null)
    return `${what} is held by the prepared transaction ${prepared ?? 'that was prepared elsewhere'}`;
  const who = `pid ${pid} (${application || 'no application name'}, ${state ?? 'unknown'})`;
  if (behind.length === 0) return `${what} is held by ${who}`;
  return `${who} waits for ${what} behind ${behind.map(nameOf).join(', ')}, and lets nobody pass`;
}

function nameOf(pid: number): string {
  return pid === 0 ? 'a prepared transaction' : `pid ${pid}`;
}
