import { describeBlocker, type HealProgress } from '../heal/heal-progress.js';
import { describeHealer, type Healer } from '../heal/healer-lock.js';
import type { Output } from './output.js';

/** In a log, where nothing can be written over: a line at most every so often. */
const EVERY_MS = 10_000;

const CLEAR_LINE = '\r\u001B[K';

/**
 * Shows on stderr where a healing is: on a terminal in one line that is written over, elsewhere in a line now and then, and
 * one as soon as somebody is in the way.
 */
export class ShownProgress {
  private toldAt: number;
  private toldBlockers = '';

  /** @param now the time in milliseconds */
  constructor(
    private readonly output: Output,
    private readonly now: () => number = Date.now,
  ) {
    this.toldAt = now();
  }

  readonly onProgress = (progress: HealProgress): void => {
    const { terminal } = this.output;
    const text = printProgress(progress);
    // A longer text would go on in the next line, which is not written over.
    if (terminal) terminal.write(`${CLEAR_LINE}${text.slice(0, terminal.columns - 1)}`);
    else this.tellNowAndThen(text, progress);
  };

  readonly onWait = (healer: Healer): void => {
    this.end();
    this.output.error(`Waiting for another healer: ${describeHealer(healer)}`);
  };

  /** Before anything else is written. */
  end(): void {
    this.output.terminal?.write(CLEAR_LINE);
  }

  private tellNowAndThen(text: string, { blockedBy }: HealProgress): void {
    const blockers = blockedBy.map(({ pid }) => pid).join(' ');
    const isNew = blockers !== '' && blockers !== this.toldBlockers;
    if (!isNew && this.now() - this.toldAt < EVERY_MS) return;
    this.toldAt = this.now();
    this.toldBlockers = blockers;
    this.output.error(text);
  }
}

/** `step 3 of 12: create index public.idx_stay, building index: scanning table, 45 %, about 2 min left` */
export function printProgress({
  step,
  of,
  action,
  object,
  phase,
  percent,
  remainingMs,
  blockedBy,
}: HealProgress): string {
  return [
    `step ${step} of ${of}: ${action} ${object}`,
    ...(phase === null ? [] : [phase]),
    ...(percent === null ? [] : [`${percent} %`]),
    ...(remainingMs === null ? [] : [`about ${printDuration(remainingMs)} left`]),
    ...(blockedBy.length === 0 ? [] : [`waits for ${blockedBy.map(describeBlocker).join(', ')}`]),
  ].join(', ');
}

function printDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
