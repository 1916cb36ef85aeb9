import { CronTime } from 'cron';
import { z } from 'zod';
import type { DataFixDefinition } from './heal/data-fix.js';

export const milliseconds = (minimum: number, maximum: number): z.ZodInt =>
  z
    .int('is not a whole number of milliseconds')
    .min(minimum, `is below ${minimum} ms`)
    .max(maximum, `is above ${maximum} ms`);

const REPEATS: readonly unknown[] = [undefined, 'never', 'every-boot'];
const TRANSACTIONS: readonly unknown[] = [undefined, 'one', 'none'];

export function isDataFix(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, run, repeat, transaction } = value as Record<string, unknown>;
  const isNamed = typeof id === 'string' && id !== '' && typeof run === 'function';
  return isNamed && REPEATS.includes(repeat) && TRANSACTIONS.includes(transaction);
}

/** Each names a row of the journal. */
export function haveDifferentIds(fixes: readonly DataFixDefinition[], context: z.RefinementCtx): void {
  fixes.forEach(({ id }, position) => {
    if (fixes.findIndex((other) => other.id === id) < position)
      context.addIssue({
        code: 'custom',
        path: [position, 'id'],
        input: id,
        message: 'is the id of another one, too',
      });
  });
}

export function isCronExpression(text: string): boolean {
  try {
    // '0 0 30 2 *' can be read, but has no next time, which would end the boot when the job is started.
    new CronTime(text).sendAt();
    return true;
  } catch {
    return false;
  }
}

export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
