import { queryRows, run, type Connection } from './connection.js';

/** A question that takes longer stays unanswered: looking must not become a load. */
const TIMEOUT_MS = 5000;

/**
 * Asks the database questions whose answer is one boolean. One that fails (a column that is not there, a right that is
 * missing, the time) has no answer.
 */
export async function readAnswers(
  connection: Connection,
  questions: readonly string[],
): Promise<Map<string, boolean>> {
  const answers = new Map<string, boolean>();
  if (questions.length === 0) return answers;
  await run(
    connection,
    `begin read only; set local search_path = pg_catalog; set local statement_timeout = ${TIMEOUT_MS}`,
  );
  for (const question of questions) {
    const answer = await readAnswer(connection, question);
    if (answer !== undefined) answers.set(question, answer);
  }
  await run(connection, 'commit');
  return answers;
}

async function readAnswer(connection: Connection, question: string): Promise<boolean | undefined> {
  await run(connection, 'savepoint question');
  try {
    const [row] = await queryRows<Record<string, boolean>>(connection, question);
    return row && Object.values(row)[0];
  } catch (error) {
    if (connection.lost.aborted) throw error;
    await run(connection, 'rollback to savepoint question');
    return undefined;
  }
}
