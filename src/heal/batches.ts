import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, HealingStoppedError, sqlStateOf } from '../errors.js';
import type { Fill } from '../drift/fill.js';
import {
  beginSweep,
  endSweep,
  markFill,
  noteRefusal,
  resumeFill,
  type FillPosition,
} from '../journal/fills.js';
import type { FillMark } from '../plan/step.js';
import { run, type Connection } from '../schema/connection.js';
import { displayName } from '../schema/identifier.js';
import { describeKey, isMetWhereItLies, readTargets, type FillTarget, type Left } from './batch.js';
import { FillSession } from './fill-session.js';
import type { HealProgress } from './heal-progress.js';
import { Pace } from './pace.js';
import { isLockConflict, retryLockConflicts } from './retry.js';
import { StepFailure, type StepInUnit } from './steps.js';
import { heeding } from './stopping.js';

export interface BatchOptions {
  readonly journalSchema: string;
  readonly lockTimeoutMs: number;
  readonly lockRetries: number;
  /** No further batch is begun once it aborts. */
  readonly signal: AbortSignal;
  readonly tell: (progress: Pick<HealProgress, 'phase' | 'percent' | 'remainingMs'>) => void;
}

/** Rows that come meanwhile without a value are the application's, in the end. */
const LAST_SWEEP = 3;
const MOST_SWEEPS = 20;

const UNTOUCHED = 'a trigger of the table skips the update, or sets it back to NULL';

/**
 * Fills a column in small transactions, from where an earlier run has left it: sweeps over the table until none
 * of its rows is left to fill. What others hold is never waited for; a further sweep meets it.
 *
 * @throws StepFailure when rows are left; what was filled stays
 */
export async function runBatches(
  connection: Connection,
  [first]: readonly StepInUnit[],
  options: BatchOptions,
  onStep: (position: number) => void,
): Promise<number[]> {
  const [mark] = first?.unit.fills ?? [];
  if (!mark) throw new TypeError('A unit in batches says what it fills');
  onStep(0);
  const start = performance.now();
  try {
    await new Filling(connection, heeding(connection, options.signal), mark, options).run();
  } catch (error) {
    throw error instanceof StepFailure ? error : new StepFailure(0, error);
  }
  return [performance.now() - start];
}

interface Sweep {
  filled: number;
  /** Somebody else's at the moment. */
  skipped: number;
  /** Skipped or changed back by a trigger, which once may have been somebody's change of the moment. */
  untouched: number;
  /** Refused by PostgreSQL, or untouched. */
  failed: number;
  error: string;
  key: string;
}

class Filling {
  private readonly fill: Fill;
  private readonly pace: Pace;
  private readonly rows: FillSession;
  private readonly startedAt = performance.now();
  private expected = 0;
  private metBefore = 0;

  constructor(
    /** For what has to be done even when the healing is to end. */
    private readonly connection: Connection,
    private readonly session: Connection,
    private readonly mark: FillMark,
    private readonly options: BatchOptions,
  ) {
    this.fill = mark.fill;
    this.rows = new FillSession(session, mark.fill, options);
    this.pace = new Pace(mark.fill.batchSize, mark.fill.pauseMs);
  }

  async run(): Promise<void> {
    const { connection, session, fill, options } = this;
    const targets = await readTargets(session, fill);
    if (targets.length === 0)
      throw new Error(
        `${displayName(fill.table.schema, fill.table.name)} is not there, or has no rows of its own`,
      );
    this.expected = targets.reduce((sum, { rows }) => sum + rows, 0);
    let position = await resumeFill(connection, options.journalSchema, fill);
    let standstills = 0;
    for (let sweep = 1; ; sweep++) {
      // One that was begun by a run before does not know what that one skipped.
      const isWhole = position === null;
      if (isWhole) await beginSweep(connection, options.journalSchema, fill);
      const seen = await this.sweep(targets, position);
      position = null;
      const isComplete = isWhole && seen.skipped === 0;
      const isSure = seen.untouched === 0 || seen.filled === 0;
      if (isComplete && seen.failed > 0 && (isSure || sweep >= LAST_SWEEP))
        throw await this.refusal(targets, seen);
      if (isComplete && seen.failed === 0 && (await this.isOver(targets, seen, sweep))) break;
      standstills = seen.skipped > 0 && seen.filled === 0 ? standstills + 1 : 0;
      if (standstills > options.lockRetries || sweep > MOST_SWEEPS) throw heldByOthers(seen);
      if (standstills > 0) await this.wait(options.lockTimeoutMs);
    }
    await markFill(connection, options.journalSchema, this.mark);
  }

  /**
   * Meets each row once that is there when it begins. What comes later is met by another one: a trigger that writes a row
   * for each that is filled, or the new versions of rows without a key, would let it never end.
   */
  private async sweep(targets: readonly FillTarget[], from: FillPosition | null): Promise<Sweep> {
    const seen: Sweep = { filled: 0, skipped: 0, untouched: 0, failed: 0, error: '', key: '' };
    const first = Math.max(
      0,
      targets.findIndex(({ name }) => name === from?.relation),
    );
    let met = from?.met ?? 0;
    this.metBefore = met;
    for (const each of targets.slice(first)) {
      let after = each.name === from?.relation ? from.after : null;
      const last = await this.rows.lastKey(each);
      const target = { ...each, ...(last && { last }) };
      for (;;) {
        this.assertGoingOn();
        const position = { relation: target.name, after, met };
        const next = await retryLockConflicts(
          () => this.batch(target, position, seen),
          this.options.lockRetries,
          this.options.signal,
        );
        if (!next) break;
        ({ after, met } = next);
        this.tell(met);
        await this.wait(await this.pace.pause(this.connection, target.name));
      }
    }
    return seen;
  }

  /** @returns where the next batch begins; null where there are no more rows */
  private async batch(target: FillTarget, from: FillPosition, seen: Sweep): Promise<FillPosition | null> {
    const { connection, pace } = this;
    const { size } = pace;
    const held = pace.held();
    try {
      const { key, met, empty, locked, filled, ms } = await this.rows.fillNext(target, from, size, held);
      const position = key && { ...from, after: key, met: from.met + met };
      // Mostly all are filled; else those are told apart that somebody holds from those that need no value.
      if (position && filled < empty) {
        const left = await this.rows.left(target, from.after, position.after);
        const unmoved = locked - filled;
        if (held === 'wait' && (left.rows > 0 || unmoved > 0)) return await this.again(from);
        await this.noteLeft(target, position, left, unmoved, seen);
      }
      await run(connection, 'commit');
      seen.filled += filled;
      if (met === size) pace.took(ms);
      return position;
    } catch (error) {
      if (held === 'wait' && isLockConflict(error)) return this.again(from);
      await run(connection, 'rollback').catch(() => undefined);
      if (!isOfARow(error)) throw new StepFailure(0, error);
      pace.refused();
      return size > 1 ? from : this.passOver(target, from, seen, error);
    }
  }

  /** Somebody is in the way of a batch: it is rolled back, and done without waiting for him. */
  private async again(from: FillPosition): Promise<FillPosition> {
    await run(this.connection, 'rollback').catch(() => undefined);
    this.pace.met();
    return from;
  }

  /** @param unmoved how many rows were updated, and have no value all the same */
  private async noteLeft(
    target: FillTarget,
    position: FillPosition,
    left: Left,
    unmoved: number,
    seen: Sweep,
  ): Promise<void> {
    // One without a key that was set back is somewhere else by now.
    const untouched = isMetWhereItLies(target) ? unmoved : Math.min(unmoved, left.rows);
    seen.skipped += Math.max(0, left.rows - untouched);
    if (untouched === 0) return;
    seen.untouched += untouched;
    await this.noteFailed(target, position, left.key ?? position.after ?? [], untouched, UNTOUCHED, seen);
  }

  private async noteFailed(
    target: FillTarget,
    position: FillPosition,
    rowKey: readonly string[],
    rows: number,
    error: string,
    seen: Sweep,
  ): Promise<void> {
    const key = describeKey(target, rowKey);
    await noteRefusal(this.connection, this.options.journalSchema, this.fill, { position, key, rows, error });
    seen.failed += rows;
    if (seen.key !== '') return;
    seen.error = error;
    seen.key = key;
  }

  /** Rows that came meanwhile, behind where the sweep was, are met by another one. */
  private async isOver(targets: readonly FillTarget[], { filled }: Sweep, sweep: number): Promise<boolean> {
    if (filled === 0 || sweep >= LAST_SWEEP) return true;
    for (const target of targets)
      for (let block: number | null = 0; block !== null;) {
        this.assertGoingOn();
        const { isLeft, next } = await this.rows.leftFrom(target, block);
        if (isLeft) return false;
        block = next;
      }
    return true;
  }

  /** The one row that was refused is noted, and stays as it is. */
  private async passOver(
    target: FillTarget,
    from: FillPosition,
    seen: Sweep,
    error: unknown,
  ): Promise<FillPosition | null> {
    const after = await this.rows.nextKey(target, from.after);
    if (!after) return null;
    const position = { ...from, after, met: from.met + 1 };
    await this.noteFailed(target, position, after, 1, describeError(error), seen);
    return position;
  }

  /** Waits, unless the healing is to end. */
  private async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.options.signal }).catch(() => undefined);
    this.assertGoingOn();
  }

  private assertGoingOn(): void {
    if (this.options.signal.aborted)
      throw new HealingStoppedError('Stopped between two batches; the next run goes on from there');
  }

  private tell(met: number): void {
    const { expected, metBefore, startedAt, pace } = this;
    const left = Math.max(0, expected - met);
    const speed = (met - metBefore) / (performance.now() - startedAt);
    const slowed = pace.strain === null ? '' : `, slowly: ${pace.strain}`;
    this.options.tell({
      phase: `filling: ${met} of about ${Math.max(met, expected)} rows${slowed}`,
      percent: expected > 0 ? Math.min(99, Math.floor((100 * met) / expected)) : null,
      remainingMs: expected > 0 && speed > 0 ? Math.round(left / speed) : null,
    });
  }

  private async refusal(targets: readonly FillTarget[], { error, ...seen }: Sweep): Promise<Error> {
    const moved = targets.some(isMetWhereItLies) ? await this.rows.countLeft(targets) : null;
    await endSweep(this.connection, this.options.journalSchema, this.fill, moved);
    const { failed, key } = moved ?? seen;
    // Rows without a key have moved: it is one of those that are left, and not the one that was refused.
    const which = moved ? `${key} among them` : `the first ${key}`;
    return new Error(`${failed} ${failed === 1 ? 'row' : 'rows'} could not be filled, ${which}: ${error}`);
  }
}

/** What a single row is to blame for: its value, a constraint, a trigger's refusal. */
function isOfARow(error: unknown): boolean {
  return /^(?:21|22|23|54|P0)/.test(sqlStateOf(error) ?? '');
}

function heldByOthers({ skipped }: Sweep): Error {
  return new Error(
    `${skipped} ${skipped === 1 ? 'row is' : 'rows are'} held by other transactions; the next run goes on`,
  );
}
