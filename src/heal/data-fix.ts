import type { EntityManager } from 'typeorm';

/** What a data fix is told, and can tell, while it runs. */
export interface DataFixProgress {
  /**
   * Aborts when the application shuts down or this process is no longer the one healer. What runs in its transaction is
   * rolled back then; what runs without one should end at its next step: `progress.signal.throwIfAborted()`.
   */
  readonly signal: AbortSignal;
  /**
   * Says where it is, for the progress of the run.
   *
   * @param phase in a few words: `tenants of 2024`
   * @param percent 0 to 100, where it is known
   */
  tell(phase: string, percent?: number): void;
}

/** A change of rows that the application's code knows how to make. */
export interface DataFixTask {
  /**
   * @param manager TypeORM's, in the fix's transaction; outside any with `transaction: 'none'`
   * @throws anything: the transaction is rolled back, and the fix tried again at the next tick
   */
  run(manager: EntityManager, progress: DataFixProgress): Promise<unknown>;
}

export interface DataFixOptions {
  /** Names it for ever, and tells its place: they run in the order of their ids, `2026-11-25-split-names`. */
  readonly id: string;
  /**
   * `'never'`: once per database. `'every-boot'`: once per process, for repairs that may be made again and again.
   * @default 'never'
   */
  readonly repeat?: 'never' | 'every-boot';
  /**
   * `'one'`: it runs in a transaction that also records it, so it takes effect exactly once. `'none'`: it opens its own
   * as it goes (`manager.transaction(…)`), for what would hold locks too long; it must bear to be begun again after a
   * crash.
   * @default 'one'
   */
  readonly transaction?: 'one' | 'none';
}

/** A data fix as an object, for the option `dataFixes`. */
export interface DataFixDefinition extends DataFixOptions, DataFixTask {}

/** How a data fix of this run ended. Plain data. */
export interface DataFixResult {
  readonly id: string;
  /** left-out: it waits for an earlier one, or for an earlier stage, that failed. */
  readonly outcome: 'applied' | 'failed' | 'left-out';
  readonly durationMs: number | null;
  readonly error: string | null;
}
