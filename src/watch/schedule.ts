import { setTimeout as sleep } from 'node:timers/promises';
import type { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';

/** A process that was busy ticks late rather than not at all; cron's own bound is a quarter of a second. */
export const LATE_MS = 60_000;

const JOB_NAME = 'nestjs-auto-migration';

export interface ScheduleOptions {
  readonly cron: string;
  readonly timeZone: string | undefined;
  readonly jitterMs: number;
  /** Ends the waiting of a tick. */
  readonly signal: AbortSignal;
  readonly onTick: () => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

/**
 * Ticks until it is stopped, never twice at once. Registered where the application has a SchedulerRegistry, so that it
 * shows among its jobs; without one the job runs by itself.
 */
export class Schedule {
  private readonly job: CronJob;

  constructor(
    options: ScheduleOptions,
    private readonly registry: SchedulerRegistry | undefined,
  ) {
    const { cron, timeZone, jitterMs, signal, onTick, onError } = options;
    this.job = CronJob.from({
      cronTime: cron,
      name: JOB_NAME,
      waitForCompletion: true,
      threshold: LATE_MS,
      ...(timeZone === undefined ? {} : { timeZone }),
      onTick: async () => {
        await sleep(Math.random() * jitterMs, undefined, { signal, ref: false }).catch(() => undefined);
        if (!signal.aborted) await onTick();
      },
      // Without it cron swallows what a tick throws.
      errorHandler: onError,
    });
    this.registry?.addCronJob(JOB_NAME, this.job);
    this.job.start();
  }

  async stop(): Promise<void> {
    await this.job.stop();
    if (this.registry?.doesExist('cron', JOB_NAME)) this.registry.deleteCronJob(JOB_NAME);
  }
}
