import { createHash } from 'node:crypto';
import { MAXIMUM_BYTES, truncateTo } from './identifier.js';
import type { QualifiedName } from './model.js';

const CHECK = 'auto_migration_not_null_';
const INDEX = 'auto_migration_index_';
const SEQUENCE = 'auto_migration_sequence_';

/** The check that proves a column free of NULLs before it is made NOT NULL. */
export function temporaryCheckName(column: string): string {
  return `${CHECK}${short(column)}`;
}

/** An index that is being built while the one that it replaces still bears its name. */
export function temporaryIndexName(index: string): string {
  return `${INDEX}${short(index)}`;
}

/** A partition's index: readable, and yet no other one's. */
export function partitionIndexName(index: string, { schema, name }: QualifiedName): string {
  const suffix = `_${short(JSON.stringify([index, schema, name]))}`;
  return `${truncateTo(MAXIMUM_BYTES - Buffer.byteLength(suffix), index)}${suffix}`;
}

/** Whether an index bears such a name of ours. */
export function isTemporaryIndex(name: string): boolean {
  return isNamedBy(INDEX, name);
}

/** A sequence that gives a column its values until it is an identity. */
export function temporarySequenceName(column: string): string {
  return `${SEQUENCE}${short(column)}`;
}

/** Whether a sequence bears such a name of ours, be it after a name that its column has no more. */
export function isTemporarySequence(name: string): boolean {
  return isNamedBy(SEQUENCE, name);
}

/** Whether a constraint is one of ours that a run should have taken away, and died before. */
export function isTemporaryCheck(name: string): boolean {
  return isNamedBy(CHECK, name);
}

function isNamedBy(prefix: string, name: string): boolean {
  return name.startsWith(prefix) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length));
}

function short(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 12);
}
