import type { Fill } from '../drift/fill.js';
import type { FillPosition } from '../journal/fills.js';
import { queryRows, run, type Connection, type Result } from '../schema/connection.js';
import { liftLimits } from '../schema/limits.js';
import { setApplicationWording } from '../schema/wording.js';
import {
  BATCH_ENDS,
  describeKey,
  fillRows,
  findLeft,
  isAnyLeft,
  keyOfLast,
  nextKey,
  type Batch,
  type FillTarget,
  type Held,
  type Left,
} from './batch.js';

interface FillSessionOptions {
  readonly journalSchema: string;
  readonly lockTimeoutMs: number;
}

const NONE_LEFT: Left = { key: null, rows: 0 };

/** What a fill asks of the database, as the application would read its expression. */
export class FillSession {
  constructor(
    private readonly session: Connection,
    private readonly fill: Fill,
    private readonly options: FillSessionOptions,
  ) {}

  /** Begins a transaction, and fills what it can of the next rows. It is left open. */
  async fillNext(target: FillTarget, from: FillPosition, size: number, held: Held): Promise<Batch> {
    const sql = fillRows(this.fill, target, from, size, held, this.options.journalSchema);
    // By itself, so that pg_stat_activity shows what takes the time.
    await run(this.session, this.begin(held));
    const results = (await this.session.query(`${sql}; ${BATCH_ENDS}`)) as Result[];
    const [batch, time] = [results[0], results.at(-1)].map((result) => result?.rows[0]);
    if (!batch || !time) throw new TypeError('A batch answers with one row');
    return { ...batch, ...time } as unknown as Batch;
  }

  /** In the transaction of a batch. */
  async left(target: FillTarget, after: readonly string[] | null, to: readonly string[]): Promise<Left> {
    const [left] = await queryRows<Left>(this.session, findLeft(this.fill, target, after, to));
    return left ?? NONE_LEFT;
  }

  /**
   * How many rows are left by now, and the key of one: a row without a key that a trigger sets back has moved, and may have
   * been met twice. Null where that cannot be told, as the expression fails for some row.
   */
  async countLeft(
    targets: readonly FillTarget[],
  ): Promise<{ readonly failed: number; readonly key: string } | null> {
    const found = { failed: 0, key: '' };
    try {
      for (const target of targets) {
        const { key, rows } = (await this.ask<Left>(findLeft(this.fill, target, null, null))) ?? NONE_LEFT;
        found.failed += rows;
        if (key) found.key ||= describeKey(target, key);
      }
    } catch (error) {
      if (this.session.lost.aborted) throw error;
      await run(this.session, 'rollback');
      return null;
    }
    return found.failed > 0 ? found : null;
  }

  /** The key of the last row by now; undefined where there is none. */
  async lastKey(target: FillTarget): Promise<string[] | undefined> {
    return (await this.ask<{ key: string[] }>(keyOfLast(target)))?.key;
  }

  /** The key of the next row; undefined where there is none. */
  async nextKey(target: FillTarget, after: readonly string[] | null): Promise<string[] | undefined> {
    return (await this.ask<{ key: string[] }>(nextKey(target, after)))?.key;
  }

  /** Whether rows are left in the next blocks of a table, and where those after them begin; null at its end. */
  async leftFrom(
    target: FillTarget,
    block: number,
  ): Promise<{ readonly isLeft: boolean; readonly next: number | null }> {
    const next = block + BLOCKS_AT_ONCE;
    const row = await this.ask<{ left: boolean; blocks: string }>(isAnyLeft(this.fill, target, block, next));
    return { isLeft: row?.left === true, next: next < Number(row?.blocks ?? 0) ? next : null };
  }

  private async ask<Row>(sql: string): Promise<Row | undefined> {
    const results = (await this.session.query(`${this.begin()}; ${sql}; commit`)) as Result[];
    return results.at(-2)?.rows[0] as Row | undefined;
  }

  /** With no limit but that of its locks. */
  private begin(held: Held = 'skip'): string {
    const { lockTimeoutMs } = this.options;
    const settings = {
      lock_timeout: held === 'wait' ? Math.min(lockTimeoutMs, BRIEFLY_MS) : lockTimeoutMs,
      // Rows and position are lost together, if at all, and so filled again. Who has read them commits after them.
      // https://www.postgresql.org/docs/current/wal-async-commit.html
      synchronous_commit: 'off',
      // Rows are met in the order in which they lie.
      synchronize_seqscans: 'off',
      max_parallel_workers_per_gather: 0,
      jit: 'off',
    };
    const set = Object.entries(settings).map(([name, value]) => `set local ${name} = '${value}'`);
    const wording = setApplicationWording(this.fill.table.schema);
    const lift = `select ${liftLimits('transaction')}`;
    return ['begin isolation level read committed', lift, ...set, wording].join('; ');
  }
}

/** How long a batch waits for a row that somebody holds, with those that it has changed itself: as long as a commit takes. */
const BRIEFLY_MS = 10;

/** 128 MB, as blocks mostly are. */
const BLOCKS_AT_ONCE = 16_384;
