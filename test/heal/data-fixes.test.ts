import pg from 'pg';
import { EntitySchema, type DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { HealingStoppedError } from '../../src/errors.js';
import type { DataFixDefinition } from '../../src/heal/data-fix.js';
import type { HealProgress } from '../../src/heal/heal-progress.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const guest = new EntitySchema({
  name: 'guest',
  columns: {
    id: { type: 'integer', primary: true },
    name: { type: 'text', nullable: true },
    seen: { type: 'integer', default: 0 },
  },
});

const LEGACY = `create table guest (id integer primary key, name text);
  insert into guest values (1, 'ada'), (2, 'bob')`;

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 10 };

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(LEGACY);
  dataSource = await openDataSource(database.url, [guest]);
});

const migratorOf = (
  dataFixes: readonly DataFixDefinition[],
  options: AutoMigratorOptions = {},
): AutoMigrator => new AutoMigrator(dataSource, { execution: 'online', ...options, dataFixes });

/** A fix that counts how often it took effect, on the column that the healing adds. */
const counting = (id: string, more: Partial<DataFixDefinition> = {}): DataFixDefinition => ({
  id,
  run: (manager) => manager.query('update guest set seen = seen + 1, name = name || $1', [` ${id}`]),
  ...more,
});

const failing = (id: string, error = 'the list of names is empty'): DataFixDefinition =>
  counting(id, {
    run: async (manager) => {
      await manager.query('update guest set seen = 100');
      throw new Error(error);
    },
  });

const guests = (): Promise<object[]> =>
  database.query('select name, seen, xmin::text from guest order by id');
const namesOf = async (): Promise<unknown[]> =>
  (await database.query('select name from guest where id = 1')).map(({ name }) => name);
const records = (): Promise<object[]> =>
  database.query('select id, outcome, attempts, error from auto_migration.data_fix order by id');

describe('data fixes', () => {
  test('run once, after the healing, in the order of their ids, and are written down', async () => {
    const migrator = migratorOf([counting('b'), counting('a')]);
    const report = await migrator.heal();
    expect(report).toMatchObject({
      outcome: 'healed',
      applied: [{ object: 'public.guest.seen' }],
      dataFixes: [
        { id: 'a', outcome: 'applied', error: null },
        { id: 'b', outcome: 'applied', error: null },
      ],
    });
    const after = await guests();
    expect(after).toMatchObject([
      { name: 'ada a b', seen: 2 },
      { name: 'bob a b', seen: 2 },
    ]);
    const [run, ...more] = await migrator.history();
    expect(more).toEqual([]);
    expect(run?.steps.map(({ action, object, outcome }) => [action, object, outcome])).toEqual([
      ['add column', 'public.guest.seen', 'applied'],
      ['data fix', 'a', 'applied'],
      ['data fix', 'b', 'applied'],
    ]);
    const [record] = await database.query('select * from auto_migration.data_fix where id = $1', ['a']);
    expect(record).toMatchObject({ run_id: run?.id, pid: process.pid, host: run?.host, outcome: 'applied' });
    expect(record?.['finished_at']).toBeInstanceOf(Date);

    for (const again of [migrator, migratorOf([counting('a'), counting('b')])]) {
      expect(await again.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null, dataFixes: [] });
    }
    expect(await guests()).toEqual(after);
  });

  test('one that fails is rolled back, keeps what came before and bars what comes after', async () => {
    const report = await migratorOf([counting('1'), failing('2'), counting('3')]).heal();
    expect(report).toMatchObject({ outcome: 'partly-healed', error: null, open: [] });
    expect(report.dataFixes.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['1', 'applied'],
      ['2', 'failed'],
      ['3', 'left-out'],
    ]);
    expect(report.dataFixes[1]?.error).toBe(
      'the list of names is empty. Rolled back: the rows stay as they were. It is tried again at the next tick, and later fixes wait for it',
    );
    expect(await guests()).toMatchObject([
      { name: 'ada 1', seen: 1 },
      { name: 'bob 1', seen: 1 },
    ]);
    expect(await records()).toMatchObject([
      { id: '1', outcome: 'applied' },
      { id: '2', outcome: 'failed', attempts: 1, error: report.dataFixes[1]?.error },
    ]);
  });

  test('one that failed is tried again at the next tick, although the schema is in sync', async () => {
    const flaky = failing('1');
    const migrator = migratorOf([
      { ...flaky, run: (...given) => (attempts++ === 0 ? flaky : counting('1')).run(...given) },
      counting('2'),
    ]);
    let attempts = 0;
    await migrator.heal({ trigger: 'bootstrap' });
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({
      outcome: 'healed',
      applied: [],
      dataFixes: [{ outcome: 'applied' }, { outcome: 'applied' }],
    });
    expect(await records()).toMatchObject([
      { id: '1', outcome: 'applied', attempts: 2, error: null },
      { id: '2', outcome: 'applied', attempts: 1 },
    ]);
    expect(await namesOf()).toEqual(['ada 1 2']);
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ runId: null, dataFixes: [] });
  });

  test('of two processes one runs them', async () => {
    const other = new AutoMigrator(await openDataSource(database.url, [guest]), {
      dataFixes: [counting('1'), counting('2')],
    });
    const reports = await Promise.all([migratorOf([counting('1'), counting('2')]).heal(), other.heal()]);
    expect(reports.flatMap(({ dataFixes }) => dataFixes)).toHaveLength(2);
    expect(await namesOf()).toEqual(['ada 1 2']);
  });

  test("with policy 'off' none runs", async () => {
    expect(await migratorOf([counting('1')], { policy: 'off' }).heal()).toMatchObject({
      outcome: 'skipped',
      dataFixes: [],
    });
    expect(await namesOf()).toEqual(['ada']);
  });

  test('what they make possible is healed by the next run', async () => {
    await database.query('alter table guest add tag text');
    const tagged = new EntitySchema({
      name: 'guest',
      columns: { ...guest.options.columns, tag: { type: 'text' } },
    });
    const fix = counting('tags', { run: (manager) => manager.query(`update guest set tag = 'none'`) });
    const migrator = new AutoMigrator(await openDataSource(database.url, [tagged]), { dataFixes: [fix] });
    expect(await migrator.heal()).toMatchObject({
      outcome: 'partly-healed',
      open: [{ kind: 'different-nullability', disposition: 'heal' }],
    });
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ outcome: 'healed', open: [] });
  });
});

describe('every-boot', () => {
  test('runs once a process, and again until it succeeds', async () => {
    const repeated = counting('1', { repeat: 'every-boot' });
    const migrator = migratorOf([repeated]);
    await migrator.heal();
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ runId: null, dataFixes: [] });
    await migratorOf([repeated]).heal();
    expect(await namesOf()).toEqual(['ada 1 1']);
    expect(await records()).toMatchObject([{ id: '1', outcome: 'applied', attempts: 2 }]);
  });
});

/** The server commits, and the answer never comes. */
function losingTheAnswer(manager: EntityManager): void {
  const { queryRunner } = manager;
  if (!queryRunner) throw new Error('outside a transaction');
  const commit = queryRunner.commitTransaction.bind(queryRunner);
  queryRunner.commitTransaction = async () => {
    await commit();
    throw new Error('Connection terminated unexpectedly');
  };
}

test('a fix that was committed without an answer has taken effect, and does so once', async () => {
  const fix = counting('1');
  const migrator = migratorOf([
    {
      ...fix,
      run: async (manager, progress) => {
        losingTheAnswer(manager);
        await fix.run(manager, progress);
      },
    },
  ]);
  expect((await migrator.heal()).dataFixes).toMatchObject([{ id: '1', outcome: 'applied', error: null }]);
  expect(await records()).toMatchObject([{ id: '1', outcome: 'applied', attempts: 1, error: null }]);
  expect(await migratorOf([fix]).heal()).toMatchObject({ outcome: 'nothing-to-do', dataFixes: [] });
  expect(await namesOf()).toEqual(['ada 1']);
});

describe("transaction 'none'", () => {
  test('runs in steps of its own; what it has committed stays when it fails', async () => {
    const seen: HealProgress[] = [];
    let fails = true;
    const inSteps = counting('1', {
      transaction: 'none',
      run: async (manager, progress) => {
        for (const id of [1, 2]) {
          progress.tell(`guest ${id}`, id * 50);
          await manager.transaction((own) =>
            own.query(`update guest set name = name || '!' where id = $1`, [id]),
          );
          if (fails) throw new Error('no further');
        }
      },
    });
    const migrator = migratorOf([inSteps]);
    const report = await migrator.heal({ onProgress: (progress) => seen.push(progress) });
    expect(report.dataFixes[0]?.error).toContain('no further. What it had committed stays');
    expect(await database.query('select name from guest order by id')).toEqual([
      { name: 'ada!' },
      { name: 'bob' },
    ]);
    // As it begins, too, or the last step before it would seem to be what takes so long.
    expect(seen.find(({ object }) => object === '1')).toMatchObject({ action: 'data fix', phase: null });
    expect(seen).toContainEqual({
      step: 1,
      of: 1,
      object: '1',
      action: 'data fix',
      phase: 'guest 1',
      percent: 50,
      remainingMs: null,
      blockedBy: [],
    });
    fails = false;
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({ dataFixes: [{ outcome: 'applied' }] });
    expect(await records()).toMatchObject([{ id: '1', outcome: 'applied', attempts: 2 }]);
  });
});

describe('a fix that is under way', () => {
  /** Changes a row and then works until it is ended. */
  const slow: DataFixDefinition = {
    id: 'slow',
    run: async (manager: EntityManager) => {
      await manager.query('update guest set seen = 100');
      await manager.query('select pg_sleep(60)');
    },
  };

  const sleepingPid = (): Promise<number> =>
    vi.waitFor(async () => {
      const [session] = await database.query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and state = 'active' and query = 'select pg_sleep(60)'`,
      );
      if (!session) throw new Error('it does not sleep yet');
      return session.pid;
    }, patiently);

  const expectItToBeDoneNext = async (): Promise<void> => {
    expect(await guests()).toMatchObject([{ seen: 0 }, { seen: 0 }]);
    const next = migratorOf([counting('slow')]);
    expect(await next.heal()).toMatchObject({ dataFixes: [{ id: 'slow', outcome: 'applied' }] });
    expect(await guests()).toMatchObject([{ seen: 1 }, { seen: 1 }]);
    expect(await records()).toMatchObject([{ outcome: 'applied', attempts: 2 }]);
  };

  test('is cancelled and rolled back when the application shuts down', async () => {
    const stopping = new AbortController();
    const healing = migratorOf([slow]).heal({ signal: stopping.signal });
    await sleepingPid();
    stopping.abort(new HealingStoppedError('the application shuts down'));
    expect(await healing).toMatchObject({
      dataFixes: [
        {
          id: 'slow',
          outcome: 'failed',
          error: expect.stringMatching(/^Stopped: the application shuts down\. Rolled back/) as string,
        },
      ],
    });
    await expectItToBeDoneNext();
  });

  test('tells that it was stopped, and not that a lock was lost', async () => {
    const stopping = new AbortController();
    const run = (): Promise<void> => Promise.resolve(stopping.abort());
    const migrator = migratorOf([{ id: '1', transaction: 'none', run }]);
    const [fix] = (await migrator.heal({ signal: stopping.signal })).dataFixes;
    expect(fix).toMatchObject({
      outcome: 'failed',
      error: expect.stringMatching(/^Stopped: it was asked to/) as string,
    });
  });

  test('is rolled back when the lock is lost, as somebody else may be the healer now', async () => {
    const migrator = migratorOf([slow]);
    const healing = migrator.heal();
    await sleepingPid();
    await database.query('select pg_terminate_backend($1, 5000)', [(await migrator.healer())?.pid]);
    expect(await healing).toMatchObject({ dataFixes: [{ id: 'slow', outcome: 'failed' }] });
    await expectItToBeDoneNext();
  });

  test('is rolled back when its session dies', async () => {
    const healing = migratorOf([slow]).heal();
    await database.query('select pg_terminate_backend($1, 5000)', [await sleepingPid()]);
    const { dataFixes } = await healing;
    expect(dataFixes).toMatchObject([{ id: 'slow', outcome: 'failed' }]);
    await expectItToBeDoneNext();
  });

  test('shows as running after a crash, and is run again', async () => {
    const healing = migratorOf([slow]).heal();
    const pid = await sleepingPid();
    // What a process that dies takes along: all of its sessions, at once.
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and (application_name = 'nestjs-auto-migration' or pid = $1)`,
      [pid],
    );
    expect(await healing).toMatchObject({ outcome: 'failed' });
    expect(await records()).toMatchObject([{ id: 'slow', outcome: 'running', attempts: 1 }]);
    await expectItToBeDoneNext();
  });
});

describe('when a statement of the healing failed', () => {
  const blockers: pg.Client[] = [];
  afterAll(() => Promise.all(blockers.map((client) => client.end())));

  const fix = counting('1', { run: (manager) => manager.query(`insert into guest values (3, 'eve')`) });

  test.each(['stop', 'continue'] as const)('onStageFailure.heal %s', async (heal) => {
    const blocker = new pg.Client({ connectionString: database.url });
    blockers.push(blocker);
    await blocker.connect();
    await blocker.query('begin; select count(*) from guest');
    const options = { lockTimeoutMs: 20, lockRetries: 0, onStageFailure: { heal } };
    const migrator = migratorOf([fix], options);
    const report = await migrator.heal();
    await blocker.query('rollback');
    expect(report.failed).toHaveLength(1);
    expect(report.dataFixes).toMatchObject([{ outcome: heal === 'stop' ? 'left-out' : 'applied' }]);
    expect(await migrator.heal({ trigger: 'cron' })).toMatchObject({
      outcome: 'healed',
      dataFixes: heal === 'stop' ? [{ outcome: 'applied' }] : [],
    });
  });
});
