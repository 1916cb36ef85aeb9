import { setTimeout as sleep } from 'node:timers/promises';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { StepInUnit } from './steps.js';
import { isHarmless } from './together.js';

const POLL_MS = 100;
/** A vacuum of a large table takes minutes. After this, in all, steps are tried all the same. */
const PATIENCE_MS = 120_000;

/**
 * Waits while VACUUM, ANALYZE or a concurrent index build is at work on a table that steps are to lock. Whoever asks for a
 * strong lock queues behind it, and everybody else behind him; an autovacuum ends for his sake, but only after
 * `deadlock_timeout`, a second in which the application stands still.
 * https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
 */
export class Courtesy {
  /** Of the whole run, in milliseconds. */
  private left = PATIENCE_MS;

  /** @param tell called once, before it waits */
  async giveWay(
    connection: Connection,
    steps: readonly StepInUnit[],
    signal: AbortSignal,
    tell: () => void,
  ): Promise<void> {
    const tables = steps.flatMap(({ step: { table, alsoLocks, lock } }) =>
      isHarmless(lock) ? [] : [table, ...alsoLocks].filter((each) => each !== null),
    );
    if (tables.length === 0) return;
    const sql = maintenanceOf(tables);
    for (let round = 0; this.left > 0 && !signal.aborted; round++) {
      if ((await queryRows(connection, sql)).length === 0) return;
      if (round === 0) tell();
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      this.left -= POLL_MS;
    }
  }
}

/**
 * A table is locked with its partitions and with what is stored apart. All of these hold that lock, and nothing else does
 * for long. What they are at is hidden from other roles; locks are not.
 */
function maintenanceOf(tables: readonly QualifiedName[]): string {
  const names = tables.map(({ schema, name }) => `(${quoteLiteral(schema)}, ${quoteLiteral(name)})`);
  // Not by to_regclass, which is an error for whoever may not use the schema: a foreign key may point there all the same.
  return `with recursive locked (oid) as (
      select c.oid from (values ${names.join(', ')}) named (schema, name)
      join pg_catalog.pg_namespace n on n.nspname = named.schema::name
      join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = named.name::name
      union
      select others.oid from locked cross join lateral (
        select inhrelid from pg_catalog.pg_inherits where inhparent = locked.oid
        union all select reltoastrelid from pg_catalog.pg_class where oid = locked.oid) others (oid))
    select from pg_catalog.pg_locks l
    where l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock' and l.granted
      and l.pid is distinct from pg_catalog.pg_backend_pid()
      and l.relation in (select oid from locked)
      and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    limit 1`;
}
