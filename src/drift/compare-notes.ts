import { displayName } from '../schema/identifier.js';
import type { Note, QualifiedName } from '../schema/model.js';
import type { Difference } from './drift-kind.js';

/** Notes are compared without the database that they name: a renamed database is still this one. */
export function compareNotes(
  wanted: readonly Note[],
  found: readonly Note[],
  table: QualifiedName,
): Difference[] {
  const texts = new Map(found.map((note) => [keyOf(note), note.value]));
  return wanted
    .filter((note) => texts.get(keyOf(note)) !== note.value)
    .map((note) => ({
      kind: 'missing-note',
      object: displayName(note.schema, ...(note.table === null ? [] : [note.table]), note.name),
      table,
      desired: note.value,
      actual: texts.get(keyOf(note)) ?? null,
      wanted: note,
    }));
}

function keyOf({ type, schema, table, name }: Note): string {
  return JSON.stringify([type, schema, table, name]);
}
