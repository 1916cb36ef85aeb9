import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { filter, firstValueFrom } from 'rxjs';
import { EntitySchema } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigrationModuleOptions, MigrationEvent } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { startApplication, type Application, type ApplicationOptions } from './application.js';
import { block, sessionsOf, waitingOf } from './blocker.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer', nullable: true } },
});

const eachSecond: AutoMigrationModuleOptions = { cron: '* * * * * *', jitterMs: 0 };

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key)');
});

afterEach(() => vi.restoreAllMocks());

function start(
  migration: AutoMigrationModuleOptions,
  imports: ApplicationOptions['imports'] = [],
): Promise<Application> {
  return startApplication({ database, entities: [Room], migration, imports });
}

/** The next event of that type. */
function next<Type extends MigrationEvent['type']>(
  { migrations }: Application,
  type: Type,
): Promise<Extract<MigrationEvent, { type: Type }>> {
  const isWanted = (event: MigrationEvent): event is Extract<MigrationEvent, { type: Type }> =>
    event.type === type;
  return firstValueFrom(migrations.events.pipe(filter(isWanted)));
}

const dropColumn = (): Promise<unknown> => database.query('alter table room drop column floor');

async function columns(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select attname as name from pg_attribute
      where attrelid = 'room'::regclass and attnum > 0 and not attisdropped order by attnum`,
  );
  return rows.map(({ name }) => name);
}

const schedulers: [title: string, imports: ApplicationOptions['imports']][] = [
  ["with the application's ScheduleModule", [ScheduleModule.forRoot()]],
  ['without a ScheduleModule', []],
];

describe.each(schedulers)('%s', (_title, imports) => {
  test('what is lost while the application runs is healed at the next tick, and health follows', async () => {
    const application = await start({ ...eachSecond, lockTimeoutMs: 60_000 }, imports);
    expect(await application.get()).toMatchObject({ status: 200, body: { status: 'ok' } });

    await dropColumn();
    const blocker = await block(database, 'room');
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), 10_000);
    expect((await application.get()).body).toMatchObject({
      status: 'degraded',
      info: { schema: { reason: 'healing' } },
    });

    const healed = next(application, 'healed');
    await blocker.release();
    expect(await healed).toMatchObject({
      report: { outcome: 'healed', applied: [{ object: 'public.room.floor', action: 'add column' }] },
    });
    expect((await application.get()).body).toMatchObject({
      status: 'ok',
      info: { schema: { reason: 'in-sync', appliedSteps: 2 } },
    });
    expect(await columns()).toEqual(['id', 'floor']);
    expect(await application.migrations.history()).toMatchObject([
      { trigger: 'cron', outcome: 'healed' },
      { trigger: 'bootstrap', outcome: 'healed' },
    ]);
  });

  test('a shutdown ends the run that waits, and nothing is left on the server', async () => {
    const application = await start({ ...eachSecond, lockTimeoutMs: 60_000 }, imports);
    await dropColumn();
    const blocker = await block(database, 'room');
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), 10_000);
    await application.close();
    await vi.waitFor(async () => expect(await sessionsOf(database)).toEqual([]), 10_000);
    await blocker.release();
    expect(await columns()).toEqual(['id']);
  });
});

test('there are never two runs at once', async () => {
  const application = await start({ ...eachSecond, lockTimeoutMs: 60_000 });
  const events: string[] = [];
  application.migrations.events.subscribe(({ type }) => events.push(type));
  await dropColumn();
  const blocker = await block(database, 'room');
  await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), 10_000);
  // Ticks come and go.
  await sleep(2500);
  expect(await waitingOf(database)).toEqual(['ALTER TABLE "public"."room" ADD COLUMN "floor" integer']);
  // The healer's lock, its worker, and the one that sees whom the worker waits for.
  expect(await sessionsOf(database)).toHaveLength(3);
  const joined = application.migrations.heal();
  const healed = next(application, 'healed');
  await blocker.release();
  expect((await joined).runId).toBe((await healed).report.runId);
  expect(events).toEqual(['healed']);
  expect(await application.migrations.history()).toHaveLength(2);
});

test("the job is among the application's own and goes with it", async () => {
  const application = await start({ cron: '0 3 * * *', timeZone: 'Asia/Tokyo' }, [ScheduleModule.forRoot()]);
  const registry = application.nest.get(SchedulerRegistry);
  const job = registry.getCronJob('nestjs-auto-migration');
  expect(job).toMatchObject({ isActive: true });
  expect(job.nextDate().toUTC().hour).toBe(18);
  await application.close();
  expect(job).toMatchObject({ isActive: false });
  expect(registry.doesExist('cron', 'nestjs-auto-migration')).toBe(false);
});

test("the application's own jobs are not doubled", async () => {
  @Injectable()
  class Housekeeping {
    @Cron('0 3 * * *')
    clean(): void {}
  }
  const application = await startApplication({
    database,
    entities: [Room],
    imports: [ScheduleModule.forRoot()],
    providers: [Housekeeping],
    migration: eachSecond,
  });
  const jobs = [...application.nest.get(SchedulerRegistry).getCronJobs().values()];
  expect(jobs).toHaveLength(2);
  expect(jobs.map(({ cronTime }) => cronTime.source)).toEqual(
    expect.arrayContaining(['0 3 * * *', '* * * * * *']),
  );
});

test('cron: false never ticks', async () => {
  const application = await start({ cron: false }, [ScheduleModule.forRoot()]);
  expect(application.nest.get(SchedulerRegistry).getCronJobs().size).toBe(0);
  expect(application.migrations.status()).toMatchObject({ state: 'up' });
});

test('a tick with nothing to heal keeps the check young and is quiet about it', async () => {
  const application = await start({ ...eachSecond, staleAfterMs: 1000 });
  const { lastCheckAt } = application.migrations.status();
  const said = application.log.own.length;
  const laterCheck = (): void => expect(application.migrations.status().lastCheckAt).not.toBe(lastCheckAt);
  await vi.waitFor(laterCheck, 10_000);
  expect(application.migrations.status()).toMatchObject({ state: 'up', reason: 'in-sync', appliedSteps: 1 });
  expect(await application.migrations.history()).toHaveLength(1);
  expect(application.log.own.slice(said)).toEqual([]);
});

test("under policy 'off' a tick tells of drift and heals nothing", async () => {
  await database.query('alter table room add floor integer');
  const application = await start({ ...eachSecond, policy: 'off' });
  expect((await application.get()).body.status).toBe('ok');
  const drift = next(application, 'drift');
  await dropColumn();
  expect(await drift).toMatchObject({ drift: [{ kind: 'missing-column', object: 'public.room.floor' }] });
  expect((await application.get()).body.status).toBe('degraded');
  expect(await columns()).toEqual(['id']);
});

test('jitter delays a tick, and a shutdown does not wait for it', async () => {
  const application = await start({ ...eachSecond, jitterMs: 3_600_000 });
  // Not before: Nest draws the names of its modules, and keeps some for later applications.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  await dropColumn();
  // Ticks have come and wait for half an hour.
  await sleep(2200);
  expect(await columns()).toEqual(['id']);
  await application.close();
  expect(await columns()).toEqual(['id']);
});
