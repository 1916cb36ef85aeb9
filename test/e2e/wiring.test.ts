import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, EntitySchema } from 'typeorm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  AutoMigrationHealthIndicator,
  AutoMigrationModule,
  AutoMigrationService,
  type AutoMigrationModuleOptions,
  type MigrationEvent,
} from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication, type ApplicationOptions } from './application.js';
import { block, sessionsOf, waitingOf } from './blocker.js';
import { OPTIONS } from '../../src/watch/tokens.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer', nullable: true } },
});
const Guest = new EntitySchema({
  name: 'Guest',
  tableName: 'guest',
  columns: { id: { type: 'integer', primary: true } },
});

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key)');
});

const off = (table: string): Promise<unknown> => database.query(`alter table ${table} drop column floor`);

test('the options can come from other providers', async () => {
  vi.stubEnv('JOURNAL', 'heal_journal');
  const migrationModule = AutoMigrationModule.forRootAsync({
    imports: [ConfigModule.forRoot({ ignoreEnvFile: true })],
    inject: [ConfigService],
    useFactory: async (config: ConfigService): Promise<AutoMigrationModuleOptions> => {
      await Promise.resolve();
      return { cron: false, journalSchema: config.getOrThrow<string>('JOURNAL') };
    },
  });
  const { migrations } = await startApplication({ database, entities: [Room], migrationModule });
  vi.unstubAllEnvs();
  expect(migrations.status()).toMatchObject({ state: 'up', appliedSteps: 1 });
  expect(await database.query('select outcome from heal_journal.run')).toEqual([{ outcome: 'healed' }]);
});

const OTHER = Symbol('a data source of the application');

@Module({})
class OtherModule {
  /** A data source that @nestjs/typeorm knows nothing of. */
  static with(url: string): DynamicModule {
    const useFactory = (): Promise<DataSource> =>
      new DataSource({ type: 'postgres', url, entities: [Room] }).initialize();
    return { module: OtherModule, providers: [{ provide: OTHER, useFactory }] };
  }
}

const nameless = (url: string): DynamicModule =>
  TypeOrmModule.forRoot({ type: 'postgres', url, entities: [Room] });
const named = (url: string): DynamicModule =>
  TypeOrmModule.forRoot({ name: 'reports', type: 'postgres', url, entities: [Room] });

/** Ways to say which data source is meant. */
const references: [
  title: string,
  dataSource: AutoMigrationModuleOptions['dataSource'],
  provide: (url: string) => DynamicModule,
][] = [
  ['nothing', undefined, nameless],
  ["the name 'default'", 'default', nameless],
  ['the class', DataSource, nameless],
  ['a name', 'reports', named],
  ['the token of a name', getDataSourceToken('reports') as string, named],
  ['a token of its own', OTHER, (url) => OtherModule.with(url)],
];

test.each(references)('the data source is found by %s', async (_title, dataSource, provide) => {
  const migration = dataSource === undefined ? {} : { dataSource };
  const application = await startApplication({ migration, imports: [provide(database.url)] });
  expect(application.migrations.status()).toMatchObject({ state: 'up', appliedSteps: 1 });
  await application.close();
  if (dataSource === OTHER) await application.nest.get<DataSource>(OTHER, { strict: false }).destroy();
});

test('of two data sources only the one that is meant is healed', async () => {
  const other = await createTestDatabase();
  await startApplication({
    database,
    entities: [Room],
    migration: { dataSource: 'reports' },
    imports: [named(other.url)],
  });
  const columns = `select attname as name from pg_attribute where attrelid = 'room'::regclass and attnum > 1`;
  expect(await database.query(columns)).toEqual([]);
  expect(await other.query(columns)).toEqual([{ name: 'floor' }]);
});

@Injectable()
class Concierge {
  constructor(
    readonly migrations: AutoMigrationService,
    readonly indicator: AutoMigrationHealthIndicator,
  ) {}
}

/** Imports nothing of ours. */
@Module({ imports: [TypeOrmModule.forFeature([Guest])], providers: [Concierge] })
class GuestModule {}

@Module({ imports: [TypeOrmModule.forFeature([Room])] })
class RoomModule {}

const places: NonNullable<ApplicationOptions['place']>[] = ['first', 'last'];

test.each(places)('imported %s, it heals what all modules of the application declare', async (place) => {
  const { nest, migrations } = await startApplication({
    database,
    typeorm: { autoLoadEntities: true },
    imports: [RoomModule, GuestModule],
    place,
  });
  expect(migrations.status()).toMatchObject({ state: 'up', appliedSteps: 2 });
  expect(await database.query("select to_regclass('guest')::text as guest")).toEqual([{ guest: 'guest' }]);
  expect(nest.select(GuestModule).get(Concierge).migrations).toBe(migrations);
});

test('every module may inject the service and the indicator, and nothing else of ours', async () => {
  const { nest } = await startApplication({
    database,
    typeorm: { autoLoadEntities: true },
    imports: [RoomModule, GuestModule],
  });
  const { migrations, indicator } = nest.select(GuestModule).get(Concierge);
  expect(indicator.check('rooms')).toMatchObject({ rooms: { status: 'up' } });
  expect(migrations.status().state).toBe('up');

  @Module({ providers: [{ provide: 'thief', inject: [OPTIONS], useFactory: (options: unknown) => options }] })
  class ThiefModule {}
  const stolen = createApplication({ database, entities: [Room], imports: [ThiefModule] });
  await expect(stolen).rejects.toThrow("Nest can't resolve dependencies of the thief");
});

test('an application context without a server is healed too', async () => {
  @Module({ imports: [AutoMigrationModule.forRoot({ cron: false }), nameless(database.url)] })
  class Seeder {}
  const context = await NestFactory.createApplicationContext(Seeder, { logger: false, abortOnError: false });
  expect(context.get(AutoMigrationService).status()).toMatchObject({ state: 'up', appliedSteps: 1 });
  await context.close();
});

describe('the service', () => {
  test('checks, heals, remembers and tells', async () => {
    const { migrations } = await startApplication({ database, entities: [Room] });
    const events: MigrationEvent[] = [];
    migrations.events.subscribe((event) => events.push(event));
    const floor = { kind: 'missing-column', object: 'public.room.floor', disposition: 'heal' };

    expect(await migrations.check()).toMatchObject({ verdict: 'in-sync', error: null });
    expect(events).toEqual([]);

    await off('room');
    expect(await migrations.check()).toMatchObject({ verdict: 'drift' });
    expect(migrations.status()).toMatchObject({ state: 'degraded', reason: 'drift', open: [floor] });
    expect(events.splice(0)).toMatchObject([{ type: 'drift', drift: [floor] }]);

    const report = await migrations.heal();
    expect(report).toMatchObject({ outcome: 'healed', open: [] });
    expect(migrations.status()).toMatchObject({ state: 'up', reason: 'in-sync', appliedSteps: 2, open: [] });
    expect(events.splice(0)).toEqual([{ type: 'healed', report }]);

    const [latest, first] = await migrations.history();
    expect(latest).toMatchObject({ id: report.runId, trigger: 'api', outcome: 'healed' });
    expect(first).toMatchObject({ trigger: 'bootstrap', outcome: 'healed' });
    expect(await migrations.history(1)).toEqual([latest]);
  });

  test('tells of what it cannot do, in the report and as an event', async () => {
    const application = await startApplication({ database, entities: [Room] });
    const { migrations } = application;
    const events: MigrationEvent[] = [];
    migrations.events.subscribe((event) => events.push(event));
    await migrations.dataSource().destroy();
    const error = expect.stringContaining('not initialised') as string;
    expect(await migrations.check()).toMatchObject({ verdict: 'unknown', error });
    expect(await migrations.heal()).toMatchObject({ outcome: 'failed', error });
    expect(events).toMatchObject([
      { type: 'failed', error },
      { type: 'failed', error },
    ]);
    expect(migrations.status()).toMatchObject({ state: 'degraded', reason: 'failed', lastError: error });
  });

  test('can be asked for everything at once while it still opens the data source', async () => {
    const { migrations, close } = await createApplication({
      database,
      entities: [Room],
      typeorm: { manualInitialization: true },
      migration: { initializeDataSource: true },
    });
    const [check, heal, history] = await Promise.all([
      migrations.check(),
      migrations.heal(),
      migrations.history(),
    ]);
    expect(check.error).toBeNull();
    expect(heal.outcome).toBe('healed');
    expect(history).toBeInstanceOf(Array);
    await close();
    // A data source that is initialised twice leaves a pool behind that nobody closes.
    const sessions = `select count(*)::int as left from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        and query not like '%pg_stat_activity%'`;
    await vi.waitFor(async () => expect(await database.query(sessions)).toEqual([{ left: 0 }]), 5000);
  });

  test('ends a healing of its own with the application', async () => {
    const { migrations, close } = await startApplication({
      database,
      entities: [Room],
      migration: { lockTimeoutMs: 60_000 },
    });
    await off('room');
    const blocker = await block(database, 'room');
    const healing = migrations.heal();
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), 10_000);
    await close();
    expect(await healing).toMatchObject({ applied: [], open: [{ object: 'public.room.floor' }] });
    expect(await sessionsOf(database)).toEqual([]);
    await blocker.release();
  });
});
