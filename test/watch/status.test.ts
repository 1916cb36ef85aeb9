import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CheckReport, Drift, HealReport, MigrationStatus } from '../../src/index.js';
import { StatusBoard } from '../../src/watch/status.js';

const NOON = '2026-11-24T12:00:00.000Z';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date(NOON) }));
afterEach(() => vi.useRealTimers());

const finding = (object: string, disposition: Drift['disposition']): Drift => ({
  id: object,
  kind: 'missing-column',
  object,
  table: 'public.staff',
  desired: 'text',
  actual: null,
  disposition,
  reason: null,
  hazards: [],
  sql: [],
});
const [toHeal, open] = [finding('public.staff.a', 'heal'), finding('public.staff.b', 'open')];
const waiting: Drift = { ...open, object: 'public.staff.e', hazards: ['older-release'] };
const [extra, accepted] = [finding('public.staff.c', 'extra'), finding('public.staff.d', 'accepted')];

const check = (
  drift: readonly Drift[],
  error: string | null = null,
): Pick<CheckReport, 'drift' | 'error'> => ({
  drift,
  error,
});

const heal = (report: Partial<HealReport> = {}): HealReport => ({
  outcome: 'nothing-to-do',
  runId: null,
  desiredHash: 'hash',
  durationMs: 1,
  applied: [],
  failed: [],
  open: [],
  drift: [],
  migrations: [],
  dataFixes: [],
  healer: null,
  leader: null,
  warnings: [],
  error: null,
  ...report,
});

const step: HealReport['applied'][number] = {
  object: 'public.staff.a',
  table: 'public.staff',
  action: 'add column',
  sql: 'ALTER …',
  lock: 'ACCESS EXCLUSIVE',
  durationMs: 1,
};

type Happening = (board: StatusBoard) => void;

const disabled: Happening = (board) => board.disabled();
const begins: Happening = (board) => board.healingBegins();
const waits: Happening = (board) =>
  board.waitsFor({ pid: 4, host: 'hotel-7', applicationName: 'hotel', address: null, since: NOON });
const failed: Happening = (board) => board.failed('no such data source');
const checked =
  (...drift: Drift[]): Happening =>
  (board) =>
    board.checked(check(drift));
const couldNotCheck: Happening = (board) => board.checked(check([], 'away'));
const healed =
  (report: Partial<HealReport> = {}): Happening =>
  (board) =>
    board.healed(heal(report));
const couldNotHeal = healed({ outcome: 'failed', desiredHash: null, error: 'away' });
const overtaken: Happening = (board) => {
  const begun = board.checkBegins();
  healed({ outcome: 'healed', applied: [step] })(board);
  board.checked(check([toHeal]), begun);
};
const hourLater: Happening = () => void vi.advanceTimersByTime(3_600_001);

type Expected = Pick<MigrationStatus, 'state' | 'reason'>;
const up = (reason: MigrationStatus['reason']): Expected => ({ state: 'up', reason });
const degraded = (reason: MigrationStatus['reason']): Expected => ({ state: 'degraded', reason });

/** What happens one after the other, and how things stand at the end. */
const transitions: [title: string, happenings: Happening[], expected: Expected][] = [
  ['nothing yet', [], degraded('not-checked-yet')],
  ['switched off', [disabled], up('disabled')],
  ['switched off, whatever happens', [disabled, couldNotCheck, begins], up('disabled')],
  ['in sync', [healed()], up('in-sync')],
  ['in sync by a check', [checked()], up('in-sync')],
  ['extra and accepted only', [checked(extra, accepted)], up('in-sync')],
  ['something to heal', [checked(toHeal)], degraded('drift')],
  ['something for a person', [checked(open)], degraded('drift')],
  ['healing, before the first look was told', [begins], degraded('healing')],
  ['healing', [checked(toHeal), begins], degraded('healing')],
  ['healed', [checked(toHeal), begins, healed({ outcome: 'healed', applied: [step] })], up('in-sync')],
  [
    'partly healed',
    [begins, healed({ outcome: 'partly-healed', drift: [open], applied: [step] })],
    degraded('drift'),
  ],
  ['policy off', [healed({ outcome: 'skipped', drift: [open] })], degraded('drift')],
  ['another healer', [healed({ outcome: 'another-healer', drift: [toHeal] })], degraded('another-healer')],
  [
    'another healer has healed',
    [healed({ outcome: 'another-healer', drift: [toHeal] }), healed()],
    up('in-sync'),
  ],
  ['waiting for another healer', [waits], degraded('another-healer')],
  ['waiting for another healer, in sync before', [healed(), waits], degraded('another-healer')],
  ['healing, having waited', [waits, begins], degraded('healing')],
  ['nothing left to do, having waited', [waits, healed()], up('in-sync')],
  ['failed while waiting', [waits, failed], degraded('failed')],
  ['superseded', [healed({ outcome: 'superseded', drift: [toHeal, open] })], up('superseded')],
  [
    'superseded, and leading again',
    [healed({ outcome: 'superseded', drift: [toHeal] }), healed()],
    up('in-sync'),
  ],
  ['superseded, and not looking any more', [healed({ outcome: 'superseded' }), hourLater], degraded('stale')],
  ['waiting for an older release', [healed({ drift: [waiting] })], up('older-release')],
  ['waiting for an older release, and for a person', [healed({ drift: [waiting, open] })], degraded('drift')],
  ['waiting for long', [healed({ drift: [waiting] }), hourLater], degraded('stale')],
  ['could not heal', [couldNotHeal], degraded('failed')],
  ['could not check', [couldNotCheck], degraded('failed')],
  ['failed outside a run', [failed], degraded('failed')],
  ['failed while healing', [begins, failed], degraded('failed')],
  ['broke off', [begins, healed({ outcome: 'failed', error: 'lost', drift: [toHeal] })], degraded('failed')],
  ['could not look, having been in sync', [healed(), couldNotHeal], degraded('failed')],
  ['a check that a healing overtook', [overtaken], up('in-sync')],
  ['a check after one that a healing overtook', [overtaken, checked(open)], degraded('drift')],
  ['in sync after a failure', [couldNotHeal, healed()], up('in-sync')],
  ['in sync by a check after a failure', [failed, checked()], up('in-sync')],
  ['an old check', [healed(), hourLater], degraded('stale')],
  ['an old check with drift', [checked(open), hourLater], degraded('drift')],
  ['an old check made anew', [healed(), hourLater, checked()], up('in-sync')],
  ['an old check that failed to be made anew', [healed(), hourLater, couldNotCheck], degraded('failed')],
  ['switched off for long', [disabled, hourLater], up('disabled')],
];

test.each(transitions)('%s', (_title, happenings, expected) => {
  const board = new StatusBoard((lookedAt) => lookedAt + 3_600_000);
  for (const happening of happenings) happening(board);
  expect(board.current()).toMatchObject(expected);
});

describe('what is known', () => {
  test('before the first look is nothing', () => {
    expect(new StatusBoard(() => Infinity).current()).toEqual({
      enabled: true,
      state: 'degraded',
      reason: 'not-checked-yet',
      open: [],
      appliedSteps: 0,
      lastCheckAt: null,
      lastHealAt: null,
      lastError: null,
      progress: null,
      healer: null,
      drift: [],
    });
  });

  test('counts the steps of all runs, and tells when it last looked and last changed something', () => {
    const board = new StatusBoard(() => Infinity);
    board.healed(heal({ outcome: 'healed', applied: [step, step] }));
    vi.advanceTimersByTime(60_000);
    board.healed(heal({ outcome: 'partly-healed', applied: [step], drift: [open, extra] }));
    vi.advanceTimersByTime(60_000);
    board.healed(heal({ drift: [open, extra] }));
    expect(board.current()).toMatchObject({
      appliedSteps: 3,
      lastHealAt: '2026-11-24T12:01:00.000Z',
      lastCheckAt: '2026-11-24T12:02:00.000Z',
      open: [open],
      drift: [open, extra],
    });
  });

  test('survives a failure to look, which is told beside it', () => {
    const board = new StatusBoard(() => Infinity);
    board.healed(heal({ drift: [open] }));
    vi.advanceTimersByTime(60_000);
    couldNotHeal(board);
    expect(board.current()).toMatchObject({ open: [open], lastCheckAt: NOON, lastError: 'away' });
  });

  test('is never too old without a limit', () => {
    const board = new StatusBoard(() => Infinity);
    board.checked(check([]));
    vi.advanceTimersByTime(365 * 24 * 3_600_000);
    expect(board.current()).toMatchObject(up('in-sync'));
  });
});
