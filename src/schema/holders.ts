import { displayName, quoteLiteral } from './identifier.js';
import { queryRows, type Connection } from './connection.js';

/** Somebody has a table for himself alone that a reading has to open. */
export class SchemaLockedError extends Error {
  constructor(waitedMs: number, holders: string) {
    const who = holders || 'somebody had a table for himself alone, and has let go since';
    super(
      `The schema could not be read within ${waitedMs / 1000} s: ${who}. Nothing was compared or changed. The next look tries again; if the holder is stuck, end it with pg_terminate_backend.`,
    );
  }
}

interface Holder {
  readonly schema: string;
  readonly name: string;
  readonly pid: number;
  readonly application: string;
  readonly state: string;
}

/**
 * Tells who has which tables of these schemas for himself alone: the only lock that a reading waits for. What he runs is
 * left out, as it may hold the application's data.
 */
export async function describeHolders(connection: Connection, schemas: readonly string[]): Promise<string> {
  const holders = await queryRows<Holder>(
    connection,
    `select n.nspname as schema, c.relname as name, l.pid, coalesce(a.application_name, '') as application,
      coalesce(a.state, a.backend_type, 'unknown') as state
    from pg_locks l
    join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
      and l.database = (select oid from pg_database where datname = current_database())
      and n.nspname in (${schemas.map(quoteLiteral).join(', ')}) and c.relkind not in ('i', 'I')
    order by 1, 2`,
  );
  return holders
    .map(
      ({ schema, name, pid, application, state }) =>
        `${displayName(schema, name)} is held by pid ${pid} (${application || 'no application name'}, ${state})`,
    )
    .join(', ');
}
