import type { Execution } from '../plan/proposal.js';
import { followRenames } from '../journal/fill-columns.js';
import { markFill } from '../journal/fills.js';
import { pinUndone, renamePins } from '../journal/pins.js';
import { undoIsDone } from '../journal/undos.js';
import { givenName, type GivenName } from '../plan/applied-step.js';
import type { FillMark, LockMode } from '../plan/step.js';
import { run, type Connection } from '../schema/connection.js';
import { liftLimits } from '../schema/limits.js';
import { setWording } from '../schema/wording.js';
import { assertConsent } from './consent.js';
import { runSteps, type StepEnd, type StepInUnit } from './steps.js';
import { heeding } from './stopping.js';

export interface Limits {
  readonly execution: Execution;
  readonly lockTimeoutMs: number;
  readonly lockBudgetMs: number;
  readonly journalSchema: string;
  /** Of the journal: what uses up an approval. */
  readonly runId: string;
}

/** Others read and write while these are held. */
const HARMLESS: readonly LockMode[] = ['NONE', 'ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE'];

export function isHarmless(lock: LockMode): boolean {
  return HARMLESS.includes(lock);
}

/** Runs steps in one transaction. */
export async function runTogether(
  connection: Connection,
  steps: readonly StepInUnit[],
  limits: Limits & { readonly signal: AbortSignal },
  onStep: (position: number) => void,
): Promise<StepEnd[]> {
  const session = heeding(connection, limits.signal);
  const lift = `select ${liftLimits('transaction')}`;
  await run(session, `begin; ${lift}; ${settings(steps, limits)}; ${setWording('transaction')}`);
  try {
    const ends = await runSteps(session, steps, onStep, (unit) => assertConsent(session, unit, limits));
    const given = steps.flatMap(({ step }) => givenName(step) ?? []);
    if (given.some(isOfFilled)) await followRenames(session, limits.journalSchema);
    for (const name of given) await renamePins(session, limits.journalSchema, name);
    for (const mark of marksOf(steps)) await markFill(session, limits.journalSchema, mark);
    for (const { undoes } of new Set(steps.map(({ unit }) => unit))) {
      if (!undoes) continue;
      await pinUndone(session, limits.journalSchema, undoes, limits.runId);
      await undoIsDone(session, limits.journalSchema, undoes, limits.runId);
    }
    await run(session, 'commit');
    return ends;
  } catch (error) {
    await run(connection, 'rollback').catch(() => undefined);
    throw error;
  }
}

/** Of something that may have been filled. */
function isOfFilled({ what }: GivenName): boolean {
  return what === 'TABLE' || what === 'COLUMN';
}

function marksOf(steps: readonly StepInUnit[]): FillMark[] {
  return [...new Set(steps.map(({ unit }) => unit))].flatMap(({ fills }) => fills ?? []);
}

/** Of the transaction alone, so that nothing of it stays on a server session that a pooler gives to others. */
function settings(steps: readonly StepInUnit[], { execution, lockTimeoutMs, lockBudgetMs }: Limits): string {
  const stopsOthers = steps.some(({ step }) => !isHarmless(step.lock));
  // The statement's time includes its waiting for the lock.
  const statementTimeout = execution === 'online' && stopsOthers ? lockTimeoutMs + lockBudgetMs : 0;
  return [
    `set local lock_timeout = ${lockTimeoutMs}`,
    `set local statement_timeout = ${statementTimeout}`,
  ].join('; ');
}
