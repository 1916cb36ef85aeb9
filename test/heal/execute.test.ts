import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorOf } from '../../src/desired/data-source.js';
import { executeUnits, type ExecutionResult } from '../../src/heal/execute.js';
import { Observer } from '../../src/heal/observer.js';
import { Journal } from '../../src/journal/journal.js';
import type { Drift, PlannedUnit } from '../../src/plan/plan.js';
import type { Execution } from '../../src/plan/proposal.js';
import { loneUnit, unit, type Step, type Unit } from '../../src/plan/step.js';
import type { Connection } from '../../src/schema/connection.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`create table parent (id integer primary key);
    create table child (parent_id integer references parent deferrable initially deferred);
    create table twins (name text);
    insert into twins values ('same'), ('same')`);
  connection = await connectorOf(await openDataSource(database.url, []))();
});

afterAll(() => connection.close());

function step(sql: string): Step {
  const cost = { lock: 'NONE', alsoLocks: [], rewrites: false, scans: false } as const;
  return { object: sql, table: null, sql, action: 'try', ...cost };
}

function finding(object: string): Drift {
  return {
    id: object,
    kind: 'missing-table',
    object,
    table: object,
    desired: null,
    actual: null,
    disposition: 'heal',
    reason: null,
    hazards: [],
    sql: [],
  };
}

const of = (drift: Drift, part: Unit): PlannedUnit => ({ ...part, drift, presumes: [], isLong: false });

const limits = { lockTimeoutMs: 1000, lockRetries: 5, journalSchema: 'auto_migration', lockBudgetMs: 1000 };

async function execute(units: PlannedUnit[], execution: Execution): Promise<ExecutionResult> {
  const journal = await Journal.begin(connection, 'auto_migration', 'api', 'hash');
  const signal = new AbortController().signal;
  const observer = new Observer(connection, null, limits.lockTimeoutMs);
  return executeUnits(connection, journal, units, { execution, ...limits, signal, observer });
}

const good = 'create table public.half (id integer)';
const bad = 'create table public.parent (id integer)';
const BAD = 'relation "parent" already exists';

describe.each<Execution>(['online', 'atomic'])('a unit that fails, execution %s', (execution) => {
  const cases: { at: string; steps: string[]; culprit: string; message: string }[] = [
    { at: 'its first step', steps: [bad, good], culprit: bad, message: BAD },
    { at: 'a step in the middle', steps: [good, bad, 'select 1'], culprit: bad, message: BAD },
    { at: 'its last step', steps: [good, bad], culprit: bad, message: BAD },
    {
      at: 'a statement that PostgreSQL cannot read',
      steps: [good, 'alter tabel public.half'],
      culprit: 'alter tabel public.half',
      message: 'syntax error at or near "tabel"',
    },
    {
      at: 'its COMMIT',
      steps: [good, 'insert into public.child values (7)'],
      culprit: 'insert into public.child values (7)',
      message:
        'insert or update on table "child" violates foreign key constraint "child_parent_id_fkey" (Key (parent_id)=(7) is not present in table "parent".)',
    },
  ];

  test.each(cases)('at $at leaves nothing behind', async ({ steps, culprit, message }) => {
    const result = await execute([of(finding('public.half'), unit('table', ...steps.map(step)))], execution);
    expect(result).toEqual({
      applied: [],
      failed: [
        {
          object: culprit,
          action: 'try',
          sql: culprit,
          error: `${message}. Rolled back: public.half stays as it was`,
          blockedBy: [],
        },
      ],
    });
    expect(await database.query("select to_regclass('half') as half")).toEqual([{ half: null }]);
    // The session is fit for the next unit: no transaction is left open or failed.
    expect(await execute([of(finding('nothing'), unit('table', step('select 1')))], execution)).toMatchObject(
      {
        applied: [{ sql: 'select 1' }],
        failed: [],
      },
    );
  });
});

describe('what fails together', () => {
  const first = finding('first');
  const other = finding('other');
  const units = [
    of(other, unit('table', step('select 1'))),
    of(first, unit('table', step(bad))),
    of(other, unit('column', step('select 2'))),
    of(first, unit('foreign-key', step('select 3'))),
  ];

  const cases: [Execution, applied: string[]][] = [
    ['online', ['select 1', 'select 2']],
    ['atomic', []],
  ];

  test.each(cases)('execution %s applies %j', async (execution, applied) => {
    const result = await execute(units, execution);
    expect(result.applied.map(({ sql }) => sql)).toEqual(applied);
    expect(result.failed.map(({ sql }) => sql)).toEqual([bad]);
  });

  test('what an atomic run has to commit before a concurrent statement stays', async () => {
    const alone = of(other, loneUnit('index', step('create index concurrently on public.parent (id)')));
    const result = await execute([...units.slice(0, 1), alone, ...units.slice(1)], 'atomic');
    expect(result.applied.map(({ sql }) => sql)).toEqual(['select 1', alone.steps[0]?.sql]);
    expect(result.failed.map(({ sql }) => sql)).toEqual([bad]);
  });
});

describe('a concurrent build', () => {
  const build = step('create unique index concurrently one_of_each on public.twins (name)');
  const found = (): Promise<Record<string, unknown>[]> =>
    database.query(
      `select i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 'one_of_each'`,
    );

  test('that fails takes its carcass away', async () => {
    const cleanup = 'drop index concurrently if exists public.one_of_each';
    const result = await execute([of(finding('twins'), loneUnit('index', build, cleanup))], 'online');
    expect(result.failed).toMatchObject([
      {
        sql: build.sql,
        error:
          'could not create unique index "one_of_each" (Key (name)=(same) is duplicated.). Rolled back: twins stays as it was',
      },
    ]);
    expect(await found()).toEqual([]);
  });

  test('would leave one otherwise', async () => {
    await execute([of(finding('twins'), loneUnit('index', build))], 'online');
    expect(await found()).toEqual([{ valid: false }]);
  });
});

test('each step is told of once it is committed, and not before', async () => {
  const journal = await Journal.begin(connection, 'auto_migration', 'api', 'hash');
  const told: string[] = [];
  const units = [
    of(finding('a'), unit('table', step('select 1'), step('select 2'))),
    of(finding('b'), unit('table', step('select 3'), step(bad))),
  ];
  await executeUnits(connection, journal, units, {
    execution: 'online',
    ...limits,
    observer: new Observer(connection, null, limits.lockTimeoutMs),
    signal: new AbortController().signal,
    onApplied: ({ sql }) => told.push(sql),
  });
  expect(told).toEqual(['select 1', 'select 2']);
});

test.each<Execution>(['online', 'atomic'])(
  'what was committed is told as applied, even where the journal cannot say so, execution %s',
  async (execution) => {
    const journal = await Journal.begin(connection, 'auto_migration', 'api', 'hash');
    await database.query(`create function full_disk() returns trigger language plpgsql
        as $$ begin raise 'no space left on device'; end $$;
      create trigger full_disk before update on auto_migration.step
        for each row when (new.outcome = 'applied') execute function full_disk()`);
    const told: string[] = [];
    const running = executeUnits(connection, journal, [of(finding('half'), unit('table', step(good)))], {
      execution,
      ...limits,
      observer: new Observer(connection, null, limits.lockTimeoutMs),
      signal: new AbortController().signal,
      onApplied: ({ sql }) => told.push(sql),
    });
    await expect(running).rejects.toThrow(
      'Cannot write to the journal what was applied: no space left on device. It stays; the next run goes on.',
    );
    expect(told).toEqual([good]);
    await database.query('drop table half; drop function full_disk cascade');
  },
);
