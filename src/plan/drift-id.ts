import { createHash } from 'node:crypto';
import type { Difference } from '../drift/drift-kind.js';

/**
 * Names a finding over all runs and processes: the same object, texts and statements have the same id, and whatever is
 * decided about it holds for exactly these.
 */
export function driftId(difference: Difference, sql: readonly string[]): string {
  const { kind, object, desired, actual } = difference;
  const made = kind === 'undo' && difference.made !== null ? [difference.made] : [];
  const facts = JSON.stringify([kind, object, desired, actual, sql, ...made]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 12);
}
