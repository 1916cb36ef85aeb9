import { Test } from '@nestjs/testing';
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  AutoMigrationHealthIndicator,
  AutoMigrationModule,
  AutoMigrationService,
  type AutoMigrationModuleOptions,
} from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication } from '../e2e/application.js';
import { startProxy } from '../e2e/database-proxy.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer', nullable: true } },
});

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key)');
});

const unknown = {
  enabled: true,
  openDrift: 0,
  appliedSteps: 0,
  lastCheckAt: null,
  lastHealAt: null,
};

/** An application that has no data source at all: everything that can go wrong before the first look does. */
async function withoutDataSource(options: AutoMigrationModuleOptions): Promise<{
  service: AutoMigrationService;
  indicator: AutoMigrationHealthIndicator;
}> {
  const imports = [AutoMigrationModule.forRoot({ cron: false, ...options })];
  const module = await Test.createTestingModule({ imports }).compile();
  return { service: module.get(AutoMigrationService), indicator: module.get(AutoMigrationHealthIndicator) };
}

test('before the first check it is degraded, and says that it has not looked yet', async () => {
  const { indicator } = await withoutDataSource({});
  expect(indicator.check('schema')).toEqual({
    schema: { status: 'degraded', reason: 'not-checked-yet', ...unknown },
  });
});

test("before the first check it is down where drift is to be 'down'", async () => {
  const { indicator } = await withoutDataSource({ health: { driftStatus: 'down' } });
  expect(indicator.check('schema')).toMatchObject({ schema: { status: 'down', reason: 'not-checked-yet' } });
});

test('the key is the one that was asked for', async () => {
  const { indicator } = await withoutDataSource({});
  expect(Object.keys(indicator.check('hotel schema'))).toEqual(['hotel schema']);
});

test('it answers, and does not throw, when looking throws', async () => {
  const { indicator, service } = await withoutDataSource({ health: { details: true } });
  await expect(service.check()).rejects.toThrow('Cannot find the default data source');
  await expect(service.heal()).rejects.toThrow('Cannot find the default data source');
  await expect(service.history()).rejects.toThrow('Cannot find the default data source');
  expect(indicator.check('schema')).toMatchObject({ schema: { status: 'degraded' } });
  service.fail('what went wrong');
  expect(indicator.check('schema')).toEqual({
    schema: { status: 'degraded', reason: 'failed', ...unknown, lastError: 'what went wrong', drift: [] },
  });
});

test('why it failed is for those alone who are shown details', async () => {
  const { indicator, service } = await withoutDataSource({});
  service.fail('connect ECONNREFUSED 10.0.0.7:5432');
  expect(indicator.check('schema')).toEqual({ schema: { status: 'degraded', reason: 'failed', ...unknown } });
});

test('switched off it is up and says nothing else', async () => {
  const { indicator, service } = await withoutDataSource({ health: { details: true, driftStatus: 'down' } });
  service.disable();
  expect(indicator.check('schema')).toEqual({ schema: { status: 'up', enabled: false } });
});

test('it answers from memory: the database is asked nothing, and may be away', async () => {
  const proxy = await startProxy(database);
  const application = await startApplication({ database: proxy, entities: [Room] });
  const asked = proxy.queries.length;
  const answers = await Promise.all(Array.from({ length: 50 }, () => application.get()));
  expect(new Set(answers.map(({ body }) => body.status))).toEqual(new Set(['ok']));
  expect(proxy.queries.length).toBe(asked);
  await proxy.goAway();
  expect((await application.get()).body.status).toBe('ok');
});

test('while another process is healing it says who that is', async () => {
  const healer = new pg.Client({ connectionString: database.url });
  await healer.connect();
  await healer.query(`begin; select pg_advisory_xact_lock(1634560359, hashtext('auto_migration'))`);
  const migration = { bootstrapBudgetMs: 1000, waitForHealerMs: 600_000 };
  const application = await startApplication({ database, entities: [Room], migration });
  const told = {
    host: expect.any(String) as string,
    pid: expect.any(Number) as number,
    since: expect.stringMatching(/Z$/) as string,
  };
  // On a busy machine the boot goes on before the first look has ended.
  await vi.waitFor(async () => {
    const answer = (await application.get()).body.details['schema'];
    expect(answer).toMatchObject({ status: 'degraded', reason: 'another-healer', healer: told });
  }, 10_000);
  await healer.end();
  await vi.waitFor(async () => expect((await application.get()).body.status).toBe('ok'), 10_000);
  expect((await application.get()).body.details['schema']).not.toHaveProperty('healer');
});

test('details are plain data, all findings with their SQL', async () => {
  await database.query('create table annex (id integer)');
  const { nest } = await createApplication({
    database,
    entities: [Room],
    migration: { policy: 'off', health: { details: true } },
  });
  await nest.init();
  const answer = nest.get(AutoMigrationHealthIndicator, { strict: false }).check('schema');
  expect(structuredClone(answer)).toEqual(answer);
  expect(answer).toMatchObject({
    schema: { status: 'degraded', reason: 'drift', openDrift: 1, lastError: null },
  });
  expect(answer.schema['drift']).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        object: 'public.room.floor',
        disposition: 'open',
        sql: ['ALTER TABLE "public"."room" ADD COLUMN "floor" integer'],
      }),
      expect.objectContaining({ kind: 'extra-table', object: 'public.annex', disposition: 'extra' }),
    ]),
  );
});

test('while a boot goes on it can be asked already', async () => {
  const { nest, migrations } = await createApplication({ database, entities: [Room] });
  const indicator = nest.get(AutoMigrationHealthIndicator, { strict: false });
  const seen = new Set<string>();
  migrations.events.subscribe(() => seen.add(indicator.check('schema').schema.status));
  seen.add(indicator.check('schema').schema.status);
  await nest.init();
  await vi.waitFor(() => expect([...seen]).toEqual(['degraded', 'up']));
});
