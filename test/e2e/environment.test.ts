import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EntitySchema } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication } from './application.js';
import { startProxy } from './database-proxy.js';

@Module({})
class Bare {}

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer', nullable: true } },
});
const entities = [Room];

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'environment-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  vi.stubEnv('AUTO_MIGRATE', undefined);
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key)');
});

afterEach(() => vi.unstubAllEnvs());

/** Whether the module has done anything to the database. */
async function traces(): Promise<{ healed: boolean; journal: boolean }> {
  const [row] = await database.query<{ healed: boolean; journal: boolean }>(
    `select exists (select from pg_attribute where attrelid = 'room'::regclass and attname = 'floor') as healed,
      to_regnamespace('auto_migration') is not null as journal`,
  );
  return row ?? { healed: false, journal: false };
}

test.each(['false', 'FALSE', 'False', ' false '])(
  'AUTO_MIGRATE=%s switches everything off',
  async (value) => {
    vi.stubEnv('AUTO_MIGRATE', value);
    const { get, nest, log } = await startApplication({
      database,
      entities,
      migration: { cron: '* * * * * *' },
      imports: [ScheduleModule.forRoot()],
    });
    const schema = { status: 'up', enabled: false };
    expect(await get()).toEqual({
      status: 200,
      body: { status: 'ok', info: { schema }, error: {}, details: { schema } },
    });
    expect(nest.get(SchedulerRegistry).getCronJobs().size).toBe(0);
    expect(log.own).toMatchObject([{ level: 'log', message: 'Off: AUTO_MIGRATE is false' }]);
    expect(await traces()).toEqual({ healed: false, journal: false });
  },
);

test('switched off, the server is asked nothing that it would not be asked without the module', async () => {
  const without = await startProxy(database);
  const options = { type: 'postgres' as const, entities, retryAttempts: 0 };
  const bare = await NestFactory.createApplicationContext(
    { module: Bare, imports: [TypeOrmModule.forRoot({ ...options, url: without.url })] },
    { logger: false },
  );
  await bare.close();

  vi.stubEnv('AUTO_MIGRATE', 'false');
  const within = await startProxy(database);
  const { get } = await startApplication({
    database: within,
    entities,
    migration: { cron: '* * * * * *', jitterMs: 0 },
  });
  await get();
  // More than a tick.
  await sleep(1200);
  expect(without.queries.length).toBeGreaterThan(0);
  expect(within.queries).toEqual(without.queries);
  expect(within.sessions).toEqual(without.sessions);
});

test('switched on, the sessions say whose they are', async () => {
  const proxy = await startProxy(database);
  await startApplication({ database: proxy, entities });
  expect(proxy.sessions).toContain('nestjs-auto-migration');
});

test.each(['true', 'TRUE', '', undefined])('AUTO_MIGRATE=%s leaves it on, without a word', async (value) => {
  vi.stubEnv('AUTO_MIGRATE', value);
  const { log } = await startApplication({ database, entities });
  expect(await traces()).toEqual({ healed: true, journal: true });
  expect(log.own.filter(({ level }) => level !== 'log')).toEqual([]);
});

test.each(['no', '0', 'off', 'nonsense'])('AUTO_MIGRATE=%s is warned about and ignored', async (value) => {
  vi.stubEnv('AUTO_MIGRATE', value);
  const { log } = await startApplication({ database, entities });
  expect(log.own[0]).toMatchObject({
    level: 'warn',
    message: 'AUTO_MIGRATE is neither true nor false and is ignored',
    params: { value },
  });
  expect(await traces()).toEqual({ healed: true, journal: true });
});

test("what ConfigModule's .env file says counts, wherever it is imported", async () => {
  const envFilePath = join(folder, '.env');
  await writeFile(envFilePath, 'AUTO_MIGRATE=False\n');
  const { migrations, nest } = await createApplication({
    database,
    entities,
    imports: [ConfigModule.forRoot({ envFilePath })],
  });
  await nest.init();
  expect(migrations.status()).toMatchObject({ enabled: false, state: 'up', reason: 'disabled' });
  expect(await traces()).toEqual({ healed: false, journal: false });
});

test('it is read at bootstrap, not when the module is imported', async () => {
  const { migrations, nest } = await createApplication({ database, entities });
  vi.stubEnv('AUTO_MIGRATE', 'false');
  await nest.init();
  expect(migrations.status()).toMatchObject({ enabled: false });
  expect(await traces()).toEqual({ healed: false, journal: false });
});
