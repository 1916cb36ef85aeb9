import { afterEach, expect, test, vi } from 'vitest';
import { whileThere } from '../../src/desired/pulse.js';

afterEach(() => vi.useRealTimers());

/** An answer that comes after so long, and a server that is there for the first so many looks. */
async function wait(answerAfterMs: number, looks: number): Promise<string> {
  vi.useFakeTimers();
  let looked = 0;
  const isThere = async (): Promise<boolean> => {
    // Finding out takes a while itself.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    return ++looked <= looks;
  };
  let giveUp = (): void => undefined;
  const answer = new Promise<string>((resolve, reject) => {
    setTimeout(() => resolve('answer'), answerAfterMs);
    giveUp = () => reject(new Error('given up'));
  });
  const waiting = whileThere(answer, isThere, giveUp).catch(String);
  await vi.advanceTimersByTimeAsync(answerAfterMs);
  return `${await waiting}, looked ${looked} times`;
}

test.each([
  ['an answer that comes soon', 14_999, Infinity, 'answer, looked 0 times'],
  ['an index that takes an hour', 3_600_000, Infinity, 'answer, looked 239 times'],
  ['nobody there', 3_600_000, 0, 'Error: given up, looked 1 times'],
  ['gone in the middle', 3_600_000, 10, 'Error: given up, looked 11 times'],
])('%s', async (_title, answerAfterMs, looks, expected) => {
  expect(await wait(answerAfterMs, looks)).toBe(expected);
});
