import { CronTime } from 'cron';
import type { ResolvedModuleOptions } from '../auto-migration.options.js';
import { LATE_MS } from './schedule.js';

/** How long a look may take before its tick counts as missed. */
const LOOK_MS = 60_000;

/** When a look that was made at a moment becomes too old, both in milliseconds since 1970; infinite where never. */
export type StaleAt = (lookedAt: number) => number;

/**
 * By the option where it is given, else by the cron: a look holds until the tick after it was due and has come to
 * nothing. So one a night is as good by day as one a minute is within the minute.
 */
export function staleAtOf({
  staleAfterMs,
  cron,
  timeZone,
  jitterMs,
}: Pick<ResolvedModuleOptions, 'staleAfterMs' | 'cron' | 'timeZone' | 'jitterMs'>): StaleAt {
  if (typeof staleAfterMs === 'number') return (lookedAt) => lookedAt + staleAfterMs;
  if (staleAfterMs === false || cron === false) return () => Infinity;
  const ticks = new CronTime(cron, timeZone);
  const graceMs = LATE_MS + jitterMs + LOOK_MS;
  return (lookedAt) => ticks.getNextDateFrom(new Date(lookedAt), timeZone).toMillis() + graceMs;
}
