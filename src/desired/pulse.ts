/** How long a statement may go without an answer before it is looked whether the server is there at all. */
const PULSE_MS = 15_000;

/**
 * Waits for an answer, however long a statement may take, as long as the server lets others in.
 *
 * @param isThere whether the server answers a new session
 * @param giveUp ends the session, and so the statement
 */
export async function whileThere<Value>(
  answer: Promise<Value>,
  isThere: () => Promise<boolean>,
  giveUp: () => void,
): Promise<Value> {
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    if (!(await isThere())) giveUp();
    isLooking = false;
  };
  const timer = setInterval(() => void look(), PULSE_MS).unref();
  try {
    return await answer;
  } finally {
    clearInterval(timer);
  }
}
