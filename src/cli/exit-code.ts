import type { CheckReport } from '../auto-migrator.js';
import { stageFailureOf, type HealReport } from '../heal/heal-report.js';
import { waitsForOlderRelease } from '../plan/older-release.js';

/** What the command answers to the shell. */
export const ExitCode = { ok: 0, failed: 1, drift: 2 } as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** 0 in sync (extra and accepted do not count), 2 drift, 1 could not look. */
export function exitCodeOfCheck({ verdict }: CheckReport): ExitCode {
  if (verdict === 'unknown') return ExitCode.failed;
  return verdict === 'drift' ? ExitCode.drift : ExitCode.ok;
}

/**
 * 0 nothing left open but what waits for an older release to go, 2 something left open, 1 failed, also where only a
 * migration or a data fix did.
 */
export function exitCodeOfHeal(report: HealReport): ExitCode {
  const { outcome, open } = report;
  if (outcome === 'failed' || stageFailureOf(report) !== null) return ExitCode.failed;
  return open.every(waitsForOlderRelease) ? ExitCode.ok : ExitCode.drift;
}
