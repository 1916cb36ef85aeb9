import { displayName } from '../schema/identifier.js';
import type { Column, Table } from '../schema/model.js';
import type { Difference } from './drift-kind.js';

/** From here on somebody should make room: a sequence that has come to its end refuses every insert. */
const NEAR_LIMIT_PERCENT = 90n;

/** Whether the next insert that leaves its value to the sequence can be had. */
export function compareSequence(table: Table, wanted: Column, found: Column): Difference[] {
  const { sequence } = found;
  const isFilled = wanted.serial || wanted.identity !== null;
  if (!sequence || !isFilled) return [];
  const [next, limit] = [BigInt(sequence.next), BigInt(sequence.limit)];
  const facts = {
    object: displayName(table.schema, table.name, wanted.name),
    table,
    column: wanted.name,
    sequence,
  };
  if (sequence.maximum !== null && BigInt(sequence.maximum) >= next) {
    const [desired, actual] = [`next value above ${sequence.maximum}`, `next value ${next}`];
    return [{ kind: 'sequence-behind', ...facts, desired, actual }];
  }
  if (next * 100n < limit * NEAR_LIMIT_PERCENT) return [];
  const [desired, actual] = [`room up to ${limit}`, `next value ${next}`];
  return [{ kind: 'sequence-near-limit', ...facts, desired, actual }];
}

/** The sequence that fills a column without belonging to it: it would be left behind by DROP and COPY of the table. */
export function detachedSequence(wanted: Column, found: Column): string | null {
  if (!wanted.serial || found.serial || found.expression === null) return null;
  const [, name] = /^nextval\('((?:[^']|'')+)'::regclass\)$/.exec(found.expression) ?? [];
  return name?.replaceAll("''", "'") ?? null;
}
