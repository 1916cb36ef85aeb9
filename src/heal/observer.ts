import { setTimeout as sleep } from 'node:timers/promises';
import { queryRows, type Connection } from '../schema/connection.js';
import type { Blocker } from './heal-progress.js';

/** Often enough to see who is in the way before the statement gives way. */
const POLLS_A_LOCK_TIMEOUT = 4;
const SELDOM_MS = 250;

/** What the server says about a session that is at work. */
export interface Observation {
  readonly phase: string | null;
  readonly percent: number | null;
  readonly blockedBy: readonly Blocker[];
}

/** Looks at the session that heals from another one, as it cannot be asked while it works or waits. */
export class Observer {
  /** Whom the statement last waited for. */
  blockedBy: readonly Blocker[] = [];

  private readonly pollMs: number;

  /**
   * @param session one that may be asked at any time and is in no transaction; null where there is none
   * @param pid of the session that heals; null where nobody knows it
   */
  constructor(
    private readonly session: Connection | null,
    private readonly pid: number | null,
    lockTimeoutMs: number,
  ) {
    this.pollMs = Math.min(SELDOM_MS, lockTimeoutMs / POLLS_A_LOCK_TIMEOUT);
  }

  /** Runs a task and tells what the server says about it, now and then. */
  async observe<Value>(task: () => Promise<Value>, tell: (seen: Observation) => void): Promise<Value> {
    this.blockedBy = [];
    const ended = new AbortController();
    const watching = this.watch(ended.signal, tell);
    try {
      return await task();
    } finally {
      ended.abort();
      await watching;
    }
  }

  private async watch(ended: AbortSignal, tell: (seen: Observation) => void): Promise<void> {
    // Behind a pooler nobody knows on which session of the server the work is done.
    const { pid, session } = this;
    if (pid === null || session === null) return;
    while (!ended.aborted) {
      await sleep(this.pollMs, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      const seen = await ask(session, pid).catch(() => undefined);
      if (!seen || ended.aborted) return;
      if (seen.blockedBy.length > 0) this.blockedBy = seen.blockedBy;
      tell(seen);
    }
  }
}

async function ask(session: Connection, pid: number): Promise<Observation> {
  const [row] = await queryRows<Observation>(session, observationOf(pid));
  return row ?? { phase: null, percent: null, blockedBy: [] };
}

/** https://www.postgresql.org/docs/current/progress-reporting.html */
function observationOf(pid: number): string {
  return `select p.phase,
      round(100.0 * coalesce(nullif(p.blocks_done, 0), p.tuples_done) / nullif(coalesce(nullif(p.blocks_total, 0), p.tuples_total), 0))::int as percent,
      coalesce((select json_agg(json_build_object('pid', a.pid, 'applicationName', coalesce(a.application_name, ''),
        'state', coalesce(a.state, a.backend_type, 'unknown'),
        'since', to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'query', coalesce(a.query, '')))
        from pg_stat_activity a where a.pid = any (pg_blocking_pids(${pid}))), '[]') as "blockedBy"
    from (select) one left join pg_stat_progress_create_index p on p.pid = ${pid}`;
}
