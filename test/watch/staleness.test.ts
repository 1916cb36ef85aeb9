import { expect, test } from 'vitest';
import { resolveModuleOptions, type AutoMigrationModuleOptions } from '../../src/auto-migration.options.js';
import { staleAtOf } from '../../src/watch/staleness.js';

const MINUTE = 60_000;
const NIGHTLY = { cron: '0 3 * * *', timeZone: 'UTC', jitterMs: 0 };

/** With these options a look at a time holds until another; `null`: for ever. */
const cases: [title: string, options: AutoMigrationModuleOptions, lookedAt: string, until: string | null][] =
  [
    ['nightly, at boot', NIGHTLY, '2026-11-24T09:00:00Z', '2026-11-25T03:02:00Z'],
    ['nightly, at its tick', NIGHTLY, '2026-11-24T03:00:02Z', '2026-11-25T03:02:00Z'],
    ['nightly, just before its tick', NIGHTLY, '2026-11-24T02:59:59Z', '2026-11-24T03:02:00Z'],
    [
      'nightly, with jitter',
      { ...NIGHTLY, jitterMs: 30 * MINUTE },
      '2026-11-24T09:00:00Z',
      '2026-11-25T03:32:00Z',
    ],
    [
      'nightly in a time zone',
      { ...NIGHTLY, timeZone: 'Europe/Vienna' },
      '2026-11-24T09:00:00Z',
      '2026-11-25T02:02:00Z',
    ],
    [
      'nightly, in the night in which summer begins',
      { ...NIGHTLY, timeZone: 'Europe/Vienna' },
      '2026-03-28T09:00:00Z',
      '2026-03-29T01:02:00Z',
    ],
    ['every five minutes', { timeZone: 'UTC' }, '2026-11-24T09:00:02Z', '2026-11-24T09:07:05Z'],
    ['every second', { ...NIGHTLY, cron: '* * * * * *' }, '2026-11-24T09:00:02Z', '2026-11-24T09:02:03Z'],
    ['on weekdays', { ...NIGHTLY, cron: '0 3 * * 1-5' }, '2026-11-27T03:00:02Z', '2026-11-30T03:02:00Z'],
    ['yearly', { ...NIGHTLY, cron: '0 0 1 1 *' }, '2026-11-24T09:00:00Z', '2027-01-01T00:02:00Z'],
    ['never by itself', { cron: false }, '2026-11-24T09:00:00Z', null],
    ['nightly, never too old', { ...NIGHTLY, staleAfterMs: false }, '2026-11-24T09:00:00Z', null],
    [
      'nightly, an hour allowed',
      { ...NIGHTLY, staleAfterMs: 60 * MINUTE },
      '2026-11-24T09:00:00Z',
      '2026-11-24T10:00:00Z',
    ],
    [
      'never by itself, an hour allowed',
      { cron: false, staleAfterMs: 60 * MINUTE },
      '2026-11-24T09:00:00Z',
      '2026-11-24T10:00:00Z',
    ],
  ];

test.each(cases)('%s', (_title, options, lookedAt, until) => {
  const staleAt = staleAtOf(resolveModuleOptions(options))(Date.parse(lookedAt));
  expect(staleAt === Infinity ? null : new Date(staleAt).toISOString()).toBe(
    until && new Date(until).toISOString(),
  );
});
