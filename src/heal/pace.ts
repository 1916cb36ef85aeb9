import type { Held } from './batch.js';
import { OF_OURS } from '../desired/ask-pool.js';
import { APPLICATION_NAME } from '../desired/session.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';

/** How long a batch is to take: until it ends, what it has changed is locked, and its log is what others' commits wait for. */
const ALONE_MS = 100;
const BESIDE_OTHERS_MS = 25;
/** Between two batches, where the application does not say. Whoever is alone makes nobody wait. */
const PAUSE_BESIDE_OTHERS_MS = 10;
/** How many times as long as a batch takes the next one waits, so that whoever is behind can catch up. */
const STRAINED_PAUSES: Readonly<Record<string, number>> = {
  'a replica lags behind': 10,
  'the archive lags behind': 10,
  'the table is being vacuumed': 1 / 4,
};
const FIRST_SIZE = 500;
const LARGEST_SIZE = 50_000;
const CAREFUL_BATCHES = 20;
/** Half as many rows that take more than this share of the time are not made fewer. */
const IN_VAIN = 0.75;
const LOOK_EVERY_MS = 1000;
/** In bytes: whoever has so much more of the log to take than there is of it in a moment is behind. */
const REPLICA_BACKLOG = 64 * 1024 * 1024;
const ARCHIVE_BACKLOG = 256 * 1024 * 1024;

/** What there is beside a fill. */
interface Surroundings {
  /** Why it has to go slowly; null where it has not. */
  readonly strain: string | null;
  /** Whether others use the database. */
  readonly isShared: boolean;
}

/** Only advice hangs on it: where nobody may look, or the table has gone, a fill goes on as if others were there. */
const NOT_KNOWN: Surroundings = { strain: null, isShared: true };

/** How many rows the next batch takes, and how long to wait before it. */
export class Pace {
  /** Rows. */
  size: number;
  /** Why the batches go slowly; null where they do not. */
  strain: string | null = null;
  private isShared = false;
  private readonly largest: number;
  /** How many batches, the next one first, skip what others hold. The first one knows of nobody. */
  private careful = 1;
  private lookedAt = -Infinity;
  /** The batch since which they are made smaller. */
  private tooLong: { readonly size: number; readonly ms: number } | null = null;

  /**
   * @param batchSize at most so many rows; null for what the time tells
   * @param pauseMs at least between two batches; null for what those who are there need
   */
  constructor(
    batchSize: number | null,
    private readonly pauseMs: number | null,
  ) {
    this.largest = batchSize ?? LARGEST_SIZE;
    this.size = Math.min(FIRST_SIZE, this.largest);
  }

  /** In milliseconds. */
  private get targetMs(): number {
    return this.isShared ? BESIDE_OTHERS_MS : ALONE_MS;
  }

  /** A whole batch took so long. */
  took(ms: number): void {
    const { size, targetMs, tooLong } = this;
    const isHalf = tooLong !== null && size <= tooLong.size / 2;
    if (isHalf && ms > targetMs && ms > tooLong.ms * IN_VAIN) {
      // It is not the rows that take the time: an expression over another table, a trigger for the whole statement.
      this.size = tooLong.size;
      this.tooLong = null;
      return;
    }
    if (ms <= targetMs) this.tooLong = null;
    else if (tooLong === null || isHalf) this.tooLong = { size, ms };
    const factor = Math.min(2, Math.max(0.25, targetMs / ms));
    this.size = Math.max(1, Math.min(this.largest, Math.round(size * factor)));
  }

  /** Whether the next batch waits for who is in its way, for a moment: only where nobody has been seen. */
  held(): Held {
    if (!this.isShared && this.careful === 0) return 'wait';
    this.careful = Math.max(0, this.careful - 1);
    return 'skip';
  }

  /** Somebody was in the way of a batch, which was in vain: few of them may be. */
  met(): void {
    this.careful = CAREFUL_BATCHES;
  }

  /** A row of a batch was refused: fewer are tried, until it stands alone. */
  refused(): void {
    this.size = Math.max(1, Math.floor(this.size / 8));
  }

  /** In milliseconds. */
  async pause(connection: Connection, table: string): Promise<number> {
    if (performance.now() - this.lookedAt > LOOK_EVERY_MS) {
      this.adapt(await surroundingsOf(connection, table));
      this.lookedAt = performance.now();
    }
    const strained = this.strain === null ? 0 : (STRAINED_PAUSES[this.strain] ?? 0) * this.targetMs;
    return Math.max(this.pauseMs ?? (this.isShared ? PAUSE_BESIDE_OTHERS_MS : 0), strained);
  }

  /** The next batch is as short as it is to be by now, and does not have to be a long one to find that out. */
  private adapt({ strain, isShared }: Surroundings): void {
    const before = this.targetMs;
    this.strain = strain;
    this.isShared = isShared;
    this.size = Math.max(1, Math.round(this.size * Math.min(1, this.targetMs / before)));
  }
}

/**
 * Who has to catch up with what is written, and whether others wait for what is locked. A role that may not read statistics
 * sees neither replicas nor what other roles are at, but their locks.
 * https://www.postgresql.org/docs/current/monitoring-stats.html
 */
async function surroundingsOf(connection: Connection, table: string): Promise<Surroundings> {
  const relation = `${quoteLiteral(table)}::pg_catalog.regclass`;
  const sql = `with others as materialized (
      select exists (select from pg_catalog.pg_stat_activity
        where datname = pg_catalog.current_database() and backend_type = 'client backend'
          and pid <> pg_catalog.pg_backend_pid() and application_name <> ${quoteLiteral(APPLICATION_NAME)} and query not like ${quoteLiteral(`${OF_OURS}%`)}
          and (state = 'active' or state_change > pg_catalog.now() - interval '${LOOK_EVERY_MS} ms'))
        or exists (select from pg_catalog.pg_locks
        where relation = ${relation} and pid <> pg_catalog.pg_backend_pid()
          and mode in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
          and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
        as are_there)
    select case
        when exists (select from pg_catalog.pg_stat_replication
          where replay_lag > interval '5 seconds' or pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn) > ${REPLICA_BACKLOG})
        then 'a replica lags behind'
        when ${isArchiveBehind()}
        then 'the archive lags behind'
        when exists (select from pg_catalog.pg_stat_progress_vacuum where relid = ${relation})
        then 'the table is being vacuumed'
        when are_there then 'others use the database'
      end as strain, are_there as "isShared"
    from others`;
  try {
    const [row] = await queryRows<Surroundings>(connection, sql);
    return row ?? NOT_KNOWN;
  } catch (error) {
    if (connection.lost.aborted) throw error;
    return NOT_KNOWN;
  }
}

/**
 * A file of the log is named after its timeline and its place. Where none was archived yet, one that failed tells as much.
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ARCHIVER-VIEW
 */
function isArchiveBehind(): string {
  const number = (start: number): string =>
    `('x' || pg_catalog.substr(last_archived_wal, ${start}, 8))::pg_catalog.bit(32)::pg_catalog.int8`;
  const segment = `pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))`;
  const now = `pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')`;
  // The one that is being written waits for nobody.
  return `pg_catalog.current_setting('archive_mode') <> 'off' and exists (select from pg_catalog.pg_stat_archiver
          where (pg_catalog.div(${now}, ${segment}) - 1) * ${segment} - ${ARCHIVE_BACKLOG} > case
            when last_archived_wal ~ '^[0-9A-F]{24}' then (${number(9)} << 32) + ${number(17)} * ${segment}
            when last_archived_wal is null and failed_count > 0 then 0 end)`;
}
