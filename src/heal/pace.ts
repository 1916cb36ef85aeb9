import type { Held } from './batch.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';

/** A row that a batch has changed is locked for so long at most. */
const TARGET_MS = 100;
const FIRST_SIZE = 500;
const LARGEST_SIZE = 50_000;
/** How long to wait between two batches that somebody has to catch up with: a vacuum gets a fifth of the time. */
const STRAINED_PAUSES_MS: Readonly<Record<string, number>> = {
  'a replica lags behind': 1000,
  'the table is being vacuumed': TARGET_MS / 4,
};
const CAREFUL_BATCHES = 20;
const LOOK_EVERY_MS = 1000;

/** How many rows the next batch takes, and how long to wait before it. */
export class Pace {
  /** Rows. */
  size: number;
  /** Why the batches go slowly; null where they do not. */
  strain: string | null = null;
  private readonly largest: number;
  /** How many batches, the next one first, skip what others hold. */
  private careful = 0;
  private lookedAt = 0;

  /** @param batchSize at most so many rows; null for what the time tells */
  constructor(
    batchSize: number | null,
    private readonly pauseMs: number,
  ) {
    this.largest = batchSize ?? LARGEST_SIZE;
    this.size = Math.min(FIRST_SIZE, this.largest);
  }

  /** A whole batch took so long. */
  took(ms: number): void {
    const factor = Math.min(2, Math.max(0.25, TARGET_MS / ms));
    this.size = Math.max(1, Math.min(this.largest, Math.round(this.size * factor)));
  }

  /** Whether the next batch waits for who is in its way, for a moment. */
  held(): Held {
    if (this.careful === 0) return 'wait';
    this.careful--;
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
      this.strain = await strainOf(connection, table);
      this.lookedAt = performance.now();
    }
    const strained = this.strain === null ? 0 : (STRAINED_PAUSES_MS[this.strain] ?? 0);
    return Math.max(this.pauseMs, strained);
  }
}

/**
 * Who has to catch up with what is written. A role that may not read statistics sees nobody.
 * https://www.postgresql.org/docs/current/monitoring-stats.html
 */
async function strainOf(connection: Connection, table: string): Promise<string | null> {
  const sql = `select case
      when exists (select from pg_catalog.pg_stat_replication
        where replay_lag > interval '5 seconds' or pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn) > 67108864)
      then 'a replica lags behind'
      when exists (select from pg_catalog.pg_stat_progress_vacuum where relid = ${quoteLiteral(table)}::pg_catalog.regclass)
      then 'the table is being vacuumed'
    end as strain`;
  const [row] = await queryRows<{ strain: string | null }>(connection, sql);
  return row?.strain ?? null;
}
