import { Logger } from '@nestjs/common';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { AppliedStep, Claim, Drift, HealReport } from '../../src/index.js';
import { MigrationLogger } from '../../src/watch/migration-logger.js';
import { RecordedLog } from '../e2e/recorded-log.js';

let log: RecordedLog;
let logger: MigrationLogger;

beforeEach(() => {
  log = new RecordedLog();
  Logger.overrideLogger(log);
  logger = new MigrationLogger();
});

afterAll(() => Logger.overrideLogger(false));

const nothing: HealReport = {
  outcome: 'nothing-to-do',
  runId: null,
  desiredHash: 'hash',
  durationMs: 12.3,
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
};

const step = (object: string, action: string, table: string | null = 'public.staff'): AppliedStep => ({
  object,
  table,
  action,
  sql: 'ALTER TABLE …',
  lock: 'ACCESS EXCLUSIVE',
  durationMs: 1.26,
});

const finding = (object: string, kind: Drift['kind'], table: string | null = 'public.staff'): Drift => ({
  id: `${kind} ${object}`,
  kind,
  object,
  table,
  desired: null,
  actual: null,
  disposition: 'heal',
  reason: null,
  hazards: [],
  sql: ['ALTER TABLE …'],
});

const open: Drift = {
  ...finding('public.staff.badge', 'different-nullability'),
  desired: 'NOT NULL',
  actual: 'NULL',
  disposition: 'open',
  reason: 'rows have NULL in it',
};

/** Level, message and parameters of every line. */
const said = (): unknown[] => log.own.map(({ level, message, params }) => [level, message, params]);

test('what is found is told table by table, each kind once, in the order of the tables', () => {
  logger.found({
    drift: [
      finding('public.tenants.subdomain', 'missing-column', 'public.tenants'),
      finding('public.staff.first_name', 'missing-column'),
      finding('public.idx_staff_username', 'missing-index'),
      finding('public.staff.last_name', 'missing-column'),
      finding('public.message', 'missing-table', 'public.message'),
      finding('public.mood', 'missing-enum', null),
      { ...open, disposition: 'extra' },
      open,
    ],
  });
  expect(said()).toEqual([
    ['log', 'Missing or different', { table: 'public.message', drift: ['missing-table'] }],
    ['log', 'Missing or different', { table: 'public.mood', drift: ['missing-enum'] }],
    [
      'log',
      'Missing or different',
      {
        table: 'public.staff',
        drift: ['missing-column first_name, last_name', 'missing-index idx_staff_username'],
      },
    ],
    ['log', 'Missing or different', { table: 'public.tenants', drift: ['missing-column subdomain'] }],
  ]);
});

/** Names as they stand in reports, and how they stand under their table. */
const names: [table: string, object: string, short: string][] = [
  ['public.staff', 'public.staff.first_name', 'first_name'],
  ['public.staff', 'public.idx_staff', 'idx_staff'],
  ['public.staff', 'public.staff_archive', 'staff_archive'],
  ['"a.b"."c"', '"a.b"."c".id', 'id'],
  ['"a.b"."c"', '"a.b".idx', 'idx'],
  ['"a""."."c"', '"a""."."c d".x', '"c d".x'],
  ['public.staff', 'other.idx', 'other.idx'],
];

test.each(names)('under %s %s is %s', (table, object, short) => {
  logger.report({ ...nothing, outcome: 'healed', runId: '1', applied: [step(object, 'change', table)] });
  expect(log.find('Healed')?.params).toMatchObject({ table, steps: [`change ${short}`] });
});

test('a run that healed all', () => {
  const applied = [
    step('public.tenants', 'create table', 'public.tenants'),
    step('public.staff.first_name', 'add column'),
    step('public.staff.last_name', 'add column'),
    step('public.idx_staff_username', 'create index'),
  ];
  logger.report({ ...nothing, outcome: 'healed', runId: '7', applied });
  expect(said()).toEqual([
    [
      'log',
      'Healed',
      {
        table: 'public.staff',
        steps: ['add column first_name, last_name', 'create index idx_staff_username'],
        ms: 3.8,
      },
    ],
    ['log', 'Healed', { table: 'public.tenants', steps: ['create table'], ms: 1.3 }],
    ['log', 'Done', { outcome: 'healed', run: '7', applied: 4, open: 0, ms: 12.3 }],
  ]);
});

/** What each report is told with when nothing was told before. */
const reports: [title: string, report: Partial<HealReport>, lines: unknown[]][] = [
  ['in sync', {}, [['log', 'In sync: nothing to do', { ms: 12.3 }]]],
  [
    'open drift',
    { open: [open] },
    [
      [
        'warn',
        'Open: needs a person',
        {
          id: 'different-nullability public.staff.badge',
          object: 'public.staff.badge',
          kind: 'different-nullability',
          desired: 'NOT NULL',
          actual: 'NULL',
          reason: 'rows have NULL in it',
        },
      ],
      ['warn', 'Drift stays open', { open: 1, ms: 12.3 }],
    ],
  ],
  [
    'a step that failed',
    {
      outcome: 'failed',
      runId: '2',
      failed: [
        {
          object: 'public.staff.badge',
          action: 'set not null',
          sql: 'ALTER …',
          error: 'no. Rolled back',
          blockedBy: [],
        },
      ],
    },
    [
      [
        'error',
        'A step failed',
        { object: 'public.staff.badge', action: 'set not null', sql: 'ALTER …', error: 'no. Rolled back' },
      ],
      ['log', 'Done', { outcome: 'failed', run: '2', applied: 0, open: 0, ms: 12.3 }],
    ],
  ],
  [
    'a run that broke off',
    { outcome: 'failed', error: 'the server went away', open: [finding('public.staff.x', 'missing-column')] },
    [['error', 'Could not look or heal', { error: 'the server went away', applied: 0, ms: 12.3 }]],
  ],
  [
    'another healer, who leaves nothing for a person',
    {
      outcome: 'another-healer',
      healer: {
        pid: 4,
        host: null,
        applicationName: 'hotel',
        address: null,
        since: '2026-11-24T00:00:00.000Z',
      },
      open: [finding('public.staff.x', 'missing-column')],
    },
    [
      [
        'warn',
        'Another process is healing',
        {
          healer: {
            pid: 4,
            host: null,
            applicationName: 'hotel',
            address: null,
            since: '2026-11-24T00:00:00.000Z',
          },
          open: 1,
        },
      ],
    ],
  ],
  [
    'a warning',
    { warnings: ['a view is not compared'] },
    [
      ['warn', 'Not everything could be compared', { warning: 'a view is not compared' }],
      ['log', 'In sync: nothing to do', { ms: 12.3 }],
    ],
  ],
];

test.each(reports)('%s', (_title, report, lines) => {
  logger.report({ ...nothing, ...report });
  expect(said()).toEqual(lines);
});

test('what breaks off because the application shuts down is no error', () => {
  const failed = [
    { object: 'public.staff', action: 'add column', sql: 'ALTER …', error: 'canceled', blockedBy: [] },
  ];
  logger.report({ ...nothing, outcome: 'failed', runId: '3', failed, open: [open] }, true);
  logger.report({ ...nothing, outcome: 'failed', runId: '4', error: 'stopped' }, true);
  const message = 'Stopped by the shutdown; the next run goes on';
  expect(said()).toEqual([
    ['warn', message, { run: '3', applied: 0, open: 1 }],
    ['warn', message, { run: '4', applied: 0, open: 0 }],
  ]);
});

describe('from tick to tick', () => {
  const failure = { ...nothing, error: 'away' };
  const healed: HealReport = {
    ...nothing,
    outcome: 'partly-healed',
    runId: '9',
    applied: [step('a', 'b')],
    open: [open],
  };
  const later = { ...open, reason: 'rows still have NULL in it' };

  /** Reports one after the other, and the levels of what is said about the last one. */
  const ticks: [title: string, reports: HealReport[], levels: string[]][] = [
    ['in sync again', [nothing, nothing], []],
    [
      'the same is open',
      [
        { ...nothing, open: [open] },
        { ...nothing, open: [open] },
      ],
      [],
    ],
    ['the same is open after a run', [healed, { ...nothing, open: [open] }], []],
    ['something new is open', [nothing, { ...nothing, open: [open] }], ['warn', 'warn']],
    [
      'for another reason',
      [
        { ...nothing, open: [open] },
        { ...nothing, open: [later] },
      ],
      ['warn', 'warn'],
    ],
    ['what was open is not', [{ ...nothing, open: [open] }, nothing], ['log']],
    ['a failure stays a failure', [failure, failure], ['error']],
    ['in sync after a failure', [nothing, failure, nothing], ['log']],
    [
      'still open after a failure',
      [{ ...nothing, open: [open] }, failure, { ...nothing, open: [open] }],
      ['warn', 'warn'],
    ],
    ['a run is always told', [healed, healed], ['log', 'warn', 'log']],
  ];

  test.each(ticks)('%s', (_title, all, levels) => {
    for (const report of all.slice(0, -1)) logger.report(report);
    const before = log.own.length;
    logger.report(all.at(-1) ?? nothing);
    expect(log.own.slice(before).map(({ level }) => level)).toEqual(levels);
  });

  test('a failure to look at all makes the next look news', () => {
    logger.report(nothing);
    logger.failed('no such data source');
    logger.report(nothing);
    expect(said()).toEqual([
      ['log', 'In sync: nothing to do', { ms: 12.3 }],
      ['error', 'Could not look or heal', { error: 'no such data source' }],
      ['log', 'In sync: nothing to do', { ms: 12.3 }],
    ]);
  });
});

test('only a step that takes long has a line of its own', () => {
  logger.applied(step('public.staff.a', 'add column'));
  logger.applied({
    ...step('public.idx', 'create index'),
    durationMs: 840_000,
    lock: 'SHARE UPDATE EXCLUSIVE',
  });
  expect(said()).toEqual([
    [
      'log',
      'A step took long',
      { object: 'public.idx', action: 'create index', lock: 'SHARE UPDATE EXCLUSIVE', ms: 840_000 },
    ],
  ]);
});

describe('two releases side by side', () => {
  const leader: Claim = {
    desiredHash: '0123456789abcdef',
    version: '0.1.0',
    claimedAt: '2026-11-24T00:00:00.000Z',
    lastSeenAt: '2026-11-24T00:05:00.000Z',
  };
  const superseded: HealReport = { ...nothing, outcome: 'superseded', leader, open: [open] };
  const waiting: Drift = { ...open, hazards: ['older-release'] };

  test('that another one leads is told once, and so is that ours leads again', () => {
    logger.report(superseded);
    logger.report({ ...superseded, leader: { ...leader, lastSeenAt: '2026-11-24T00:10:00.000Z' } });
    logger.report(nothing);
    logger.report(nothing);
    expect(said()).toEqual([
      [
        'log',
        'A newer release leads: this one only watches',
        { release: '0123456789ab', since: '2026-11-24T00:00:00.000Z', version: '0.1.0', open: 1 },
      ],
      ['log', 'This release leads again', {}],
      ['log', 'In sync: nothing to do', { ms: 12.3 }],
    ]);
  });

  test('a look that failed tells nothing of who leads', () => {
    logger.report(superseded);
    logger.report({ ...nothing, outcome: 'failed', error: 'away' });
    logger.report(superseded);
    expect(log.find('This release leads again')).toBeUndefined();
  });

  test('what waits for the older one is told once, however often that is seen', () => {
    logger.report({ ...nothing, open: [{ ...waiting, reason: 'seen at noon' }] });
    logger.report({ ...nothing, open: [{ ...waiting, reason: 'seen at five past' }] });
    expect(said()).toEqual([
      [
        'log',
        'Waits for an older release',
        { object: 'public.staff.badge', kind: 'different-nullability', reason: 'seen at noon' },
      ],
    ]);
  });

  test('whom it waits for is told once', () => {
    const healer = { pid: 4, host: 'hotel-7', applicationName: 'hotel', address: null, since: 'noon' };
    logger.waits(healer);
    logger.waits(healer);
    logger.waits({ ...healer, since: 'later' });
    expect(said()).toEqual([
      ['log', 'Waiting for another healer', { healer }],
      ['log', 'Waiting for another healer', { healer: { ...healer, since: 'later' } }],
    ]);
  });
});
