import { queryRows, run, type Connection } from './connection.js';
import { SEE_ALL_ROWS } from './limits.js';
import { setWording } from './wording.js';

/** A question that takes longer stays unanswered: looking must not become a load. */
const TIMEOUT_MS = 5000;
/** Nor must it queue behind a change of somebody else's, and others behind it. */
const LOCK_TIMEOUT_MS = 200;

/**
 * Asks the database questions whose answer is one value. One that fails (a column that is not there, a right that is
 * missing, the time) has no answer.
 *
 * @param timeoutMs for each, in milliseconds; 0 for no limit
 */
export async function readAnswers(
  connection: Connection,
  questions: readonly string[],
  timeoutMs = TIMEOUT_MS,
): Promise<Map<string, unknown>> {
  const answers = new Map<string, unknown>();
  if (questions.length === 0) return answers;
  await run(
    connection,
    `begin read only; ${setWording('transaction')}; ${SEE_ALL_ROWS}; set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
  );
  for (const question of questions) {
    const answer = await readAnswer(connection, question);
    if (answer !== undefined) answers.set(question, answer);
  }
  await run(connection, 'commit');
  return answers;
}

async function readAnswer(connection: Connection, question: string): Promise<unknown> {
  await run(connection, 'savepoint question');
  try {
    const [row] = await queryRows<Record<string, unknown>>(connection, question);
    return row && Object.values(row)[0];
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback to savepoint question');
    return undefined;
  }
}
