import { createHash } from 'node:crypto';
import type { Difference } from '../drift/drift-kind.js';

/**
 * Names a finding over all runs and processes: the same object, texts and statements have the same id, and whatever is
 * decided about it holds for exactly these.
 */
export function driftId({ kind, object, desired, actual }: Difference, sql: readonly string[]): string {
  const facts = JSON.stringify([kind, object, desired, actual, sql]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 12);
}
