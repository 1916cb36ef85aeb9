import type { DataSource } from 'typeorm';
import { describeError, HealingStoppedError } from '../errors.js';
import {
  appliedDataFixes,
  dataFixBegins,
  dataFixFails,
  lockDataFix,
  recordDataFix,
} from '../journal/data-fix-records.js';
import type { Journal } from '../journal/journal.js';
import type { Connect, Connection } from '../schema/connection.js';
import type { DataFixDefinition, DataFixProgress, DataFixResult } from './data-fix.js';
import type { HealProgress } from './heal-progress.js';
import { assertGoingOn, whyStopped } from './stopping.js';

/** What a run of data fixes needs of the run that it is part of. */
export interface DataFixRun {
  readonly connection: Connection;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: HealProgress) => void) | undefined;
}

const DATA_FIX = { kind: 'data fix', desired: null, actual: null };

interface LockedRow {
  readonly outcome: string;
  readonly runId: string;
  readonly pid: number;
}

/**
 * The data fixes of the application, in the order of their ids. Only the one healer runs them; by whom else it would be
 * in the same moment (a lock that was lost) is decided by the row of the fix, which its transaction locks.
 */
export class DataFixes {
  private readonly fixes: readonly DataFixDefinition[];
  /** Of those that are repeated at every boot: what this process has done. */
  private readonly repeated = new Set<string>();
  private isSettled = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly connect: Connect,
    fixes: readonly DataFixDefinition[],
    private readonly journalSchema: string,
  ) {
    this.fixes = fixes.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Known without a query: a process that has seen them all applied never asks again. */
  get mayBeDue(): boolean {
    return this.fixes.length > 0 && !this.isSettled;
  }

  /** Those that have to run, in order. */
  async due(connection: Connection): Promise<readonly DataFixDefinition[]> {
    if (!this.mayBeDue) return [];
    const applied = await appliedDataFixes(connection, this.journalSchema);
    const due = this.fixes.filter(({ id, repeat }) =>
      repeat === 'every-boot' ? !this.repeated.has(id) : !applied.has(id),
    );
    this.isSettled = due.length === 0;
    return due;
  }

  /** Runs them one after another. The first that fails leaves the later ones out. */
  async run(due: readonly DataFixDefinition[], run: DataFixRun): Promise<DataFixResult[]> {
    const results: DataFixResult[] = [];
    for (const [position, fix] of due.entries()) {
      const isBarred = results.some(({ outcome }) => outcome !== 'applied');
      results.push(isBarred ? leftOut(fix) : await this.runOne(fix, run, position, due.length));
    }
    return results;
  }

  private async runOne(
    fix: DataFixDefinition,
    run: DataFixRun,
    position: number,
    of: number,
  ): Promise<DataFixResult> {
    const { id } = fix;
    const { connection, journal, signal } = run;
    const start = performance.now();
    const step = {
      object: id,
      action: 'data fix',
      sql: `-- data fix ${id}`,
      lock: 'NONE',
      drift: DATA_FIX,
    } as const;
    const [stepId = ''] = await journal.stepsBegin([step]);
    await dataFixBegins(connection, this.journalSchema, id, journal.runId);
    const report = (phase: string | null, percent: number | null): void => {
      const { object, action } = step;
      run.onProgress?.({
        step: position + 1,
        of,
        object,
        action,
        phase,
        percent,
        remainingMs: null,
        blockedBy: [],
      });
    };
    const tell: DataFixProgress['tell'] = (phase, percent) => report(phase, percent ?? null);
    report(null, null);
    try {
      await this.carryOut(fix, { signal, tell }, journal.runId);
    } catch (error) {
      // Without a session nobody can write it down; that the row says running is true enough.
      if (connection.lost.aborted) throw error;
      // What it says of itself then is how it was stopped: that its statement was cancelled.
      const message = `${signal.aborted ? `Stopped: ${whyStopped(signal)}` : describeError(error)}. ${leftBy(fix)}`;
      if (await dataFixFails(connection, this.journalSchema, id, message)) {
        await journal.stepEnds(stepId, { outcome: 'failed', durationMs: null, error: message });
        return { id, outcome: 'failed', durationMs: null, error: message };
      }
    }
    const durationMs = Math.round((performance.now() - start) * 10) / 10;
    await journal.stepEnds(stepId, { outcome: 'applied', durationMs, error: null });
    if (fix.repeat === 'every-boot') this.repeated.add(id);
    return { id, outcome: 'applied', durationMs, error: null };
  }

  private async carryOut(fix: DataFixDefinition, progress: DataFixProgress, runId: string): Promise<void> {
    assertGoingOn(progress.signal);
    if (fix.transaction === 'none') {
      await fix.run(this.dataSource.manager, progress);
      assertGoingOn(progress.signal);
      await this.dataSource.query(recordDataFix(this.journalSchema), [fix.id]);
      return;
    }
    await this.dataSource.transaction(async (manager) => {
      const [row] = await manager.query<LockedRow[]>(lockDataFix(this.journalSchema), [fix.id]);
      // Another healer, which took over when the lock was lost, has done it or is at it.
      if (!row || row.runId !== runId) throw new HealingStoppedError('Another process has taken it over');
      const cancel = (): void => void this.cancel(row.pid).catch(() => undefined);
      progress.signal.addEventListener('abort', cancel);
      try {
        await fix.run(manager, progress);
        assertGoingOn(progress.signal);
        await manager.query(recordDataFix(this.journalSchema), [fix.id]);
      } finally {
        progress.signal.removeEventListener('abort', cancel);
      }
    });
  }

  private async cancel(pid: number): Promise<void> {
    const other = await this.connect();
    try {
      await other.query('select pg_cancel_backend($1)', [pid]);
    } finally {
      await other.close();
    }
  }
}

/** For a stage that is left out as a whole. */
export function leftOut({ id }: DataFixDefinition): DataFixResult {
  return { id, outcome: 'left-out', durationMs: null, error: null };
}

function leftBy({ transaction }: DataFixDefinition): string {
  const left =
    transaction === 'none' ? 'What it had committed stays' : 'Rolled back: the rows stay as they were';
  return `${left}. It is tried again at the next tick, and later fixes wait for it`;
}
