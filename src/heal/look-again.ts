import { noteNotConverging } from '../journal/standing.js';
import { forgetPins } from '../journal/pins.js';
import { closeUndos } from '../journal/undos.js';
import type { Connection } from '../schema/connection.js';
import type { HealContext, Look } from './heal.js';
import type { Progress } from './progress.js';
import { heeding } from './stopping.js';

/** What was applied and is still wanted would be applied for ever: it is noted, and left to a person. */
export async function lookAgain(
  { lookout, options: { journalSchema } }: HealContext,
  connection: Connection,
  progress: Progress,
  signal: AbortSignal,
): Promise<Look> {
  const session = heeding(connection, signal);
  const after = await lookout.look(session);
  progress.seen(after);
  const applied = new Set(progress.applied.map(({ sql }) => sql));
  const stubborn = after.plan.drift.filter(
    // A fill goes on for as long as rows come that lack a value.
    ({ disposition, kind, sql }) =>
      disposition === 'heal' &&
      kind !== 'unfilled-column' &&
      sql.every((statement) => applied.has(statement)),
  );
  await noteNotConverging(connection, journalSchema, stubborn, after);
  await closeUndos(connection, journalSchema, after.goneUndos);
  await forgetPins(connection, journalSchema);
  if (stubborn.length === 0) return after;
  const last = await lookout.look(session);
  progress.seen(last);
  return last;
}
