import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, EntitySchema } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MigrationEvent } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication, type Application } from './application.js';
import { hotelEntities } from './hotel-entities.mjs';

/** Columns (20), the check, the table, three foreign keys, eight indexes. */
const steps = 33;

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const sqlWords = /alter table|create|add column|select/i;

/** A module of the application that works with the new columns as soon as it may. */
@Injectable()
class Reception implements OnApplicationBootstrap {
  found: unknown;

  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    this.found = await this.dataSource.query(
      'select count(*)::int as staff, bool_and(is_active) as active from staff where permissions = $1',
      ['[]'],
    );
  }
}

describe('the hotel', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase({ template: 'hotel' });
  });

  test('is healed before anybody else works with it and before the application listens', async () => {
    const application = await createApplication({
      database,
      entities: hotelEntities,
      providers: [Reception],
    });
    const listening: [MigrationEvent['type'], boolean][] = [];
    const server = application.nest.getHttpServer() as { listening: boolean };
    application.migrations.events.subscribe(({ type }) => listening.push([type, server.listening]));

    await application.nest.listen(0, '127.0.0.1');

    expect(listening).toEqual([['healed', false]]);
    expect(application.nest.get(Reception).found).toEqual([{ staff: 505, active: true }]);
    const schema = {
      status: 'up',
      enabled: true,
      reason: 'in-sync',
      openDrift: 0,
      appliedSteps: steps,
      lastCheckAt: time,
      lastHealAt: time,
    };
    const { status, body } = await application.get();
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ok', info: { schema }, error: {}, details: { schema } });
    expect(JSON.stringify(body)).not.toMatch(sqlWords);
  });

  test('has nothing to do at the next start, and says so', async () => {
    const application = await startApplication({ database, entities: hotelEntities });
    const { body } = await application.get();
    expect(body.info).toMatchObject({ schema: { status: 'up', appliedSteps: 0, lastHealAt: null } });
    expect(application.log.own).toMatchObject([{ level: 'log', message: 'In sync: nothing to do' }]);
    expect(await application.migrations.history()).toMatchObject([
      { trigger: 'bootstrap', outcome: 'healed' },
    ]);
  });

  test('keeps its rows and what no entity knows', async () => {
    const counts = `select (select count(*)::int from staff) as staff, (select count(*)::int from tenants) as tenants,
      (select count(*)::int from call) as calls, (select count(*)::int from request) as requests,
      (select count(*)::int from monthly_report) as months`;
    expect(await database.query(counts)).toEqual([
      { staff: 505, tenants: 20, calls: 50_000, requests: 5_000, months: 12 },
    ]);
  });
});

/** A room has a number; what else it has differs from test to test. */
const room = (columns: object): EntitySchema =>
  new EntitySchema({
    name: 'Room',
    tableName: 'room',
    columns: { id: { type: 'integer', primary: true }, ...columns },
  });

const withFloor = room({ floor: { type: 'integer', nullable: true } });
const withName = room({ name: { type: 'varchar', nullable: false } });

async function roomDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query('create table room (id integer primary key); insert into room values (1), (2)');
  return database;
}

async function columnsOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = 'room'::regclass and attnum > 0 order by attnum",
  );
  return rows.map(({ name }) => name);
}

describe("policy 'off'", () => {
  const policy = expect.stringContaining("policy is 'off'") as string;

  test('changes nothing, writes no journal and reports degraded', async () => {
    const database = await roomDatabase();
    const application = await startApplication({
      database,
      entities: [withFloor],
      migration: { policy: 'off' },
    });
    const { status, body } = await application.get();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      info: {
        schema: { status: 'degraded', reason: 'drift', openDrift: 1, appliedSteps: 0, lastHealAt: null },
      },
    });
    expect(await columnsOf(database)).toEqual(['id']);
    expect(await database.query("select to_regnamespace('auto_migration') as journal")).toEqual([
      { journal: null },
    ]);
    expect(application.log.own).toMatchObject([
      {
        level: 'warn',
        params: { object: 'public.room.floor', reason: policy },
      },
      { level: 'warn', message: 'Drift stays open', params: { open: 1 } },
    ]);
  });
});

describe('a NOT NULL without default on a table that has rows', () => {
  let database: TestDatabase;
  const name = 'public.room.name';
  const reason = 'rows have NULL in it; fill them, declare @Backfill, or make the column nullable';

  beforeAll(async () => {
    database = await roomDatabase();
  });

  test('is added nullable, stays open and degrades with its reason', async () => {
    const application = await startApplication({
      database,
      entities: [withName],
      migration: { health: { details: true } },
    });
    expect(await columnsOf(database)).toEqual(['id', 'name']);
    const { status, body } = await application.get();
    expect(status).toBe(200);
    expect(body.status).toBe('degraded');
    expect(body.details['schema']).toMatchObject({
      status: 'degraded',
      reason: 'drift',
      openDrift: 1,
      appliedSteps: 1,
      lastError: null,
      drift: [
        { kind: 'named-differently', disposition: 'accepted' },
        {
          kind: 'different-nullability',
          object: name,
          disposition: 'open',
          reason,
          sql: ['ALTER TABLE "public"."room" ALTER COLUMN "name" SET NOT NULL'],
        },
      ],
    });
    const open = application.log.own.filter(({ level }) => level === 'warn');
    expect(open).toMatchObject([{ params: { object: name, kind: 'different-nullability', reason } }]);
  });

  test('shows counts and times alone unless details are wanted', async () => {
    const application = await startApplication({ database, entities: [withName] });
    const { body } = await application.get();
    expect(body.details['schema']).toEqual({
      status: 'degraded',
      enabled: true,
      reason: 'drift',
      openDrift: 1,
      appliedSteps: 0,
      lastCheckAt: time,
      lastHealAt: null,
    });
    expect(JSON.stringify(body)).not.toMatch(sqlWords);
  });

  test("answers 503 where driftStatus is 'down'", async () => {
    const migration = { health: { driftStatus: 'down' as const } };
    const application = await startApplication({ database, entities: [withName], migration });
    const { status, body } = await application.get();
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'error',
      error: { schema: { status: 'down', reason: 'drift', openDrift: 1 } },
    });
  });

  test('is closed by somebody who fills the rows', async () => {
    await database.query("update room set name = 'suite'");
    const application = await startApplication({ database, entities: [withName] });
    expect(application.migrations.status()).toMatchObject({ state: 'up', appliedSteps: 1, open: [] });
    await expect(database.query('insert into room (id) values (3)')).rejects.toThrow('not-null constraint');
  });
});

describe('the route', () => {
  const starts: [path: string | false, asked: string, status: number][] = [
    [false, '/health', 404],
    ['/health', '/health', 200],
    ['internal/schema', '/internal/schema', 200],
    ['internal/schema', '/health', 404],
  ];

  test.each(starts)('with health.path %s the answer at %s is %i', async (path, asked, status) => {
    const database = await roomDatabase();
    const application: Application = await startApplication({
      database,
      entities: [withFloor],
      migration: { health: { path } },
      health: 'none',
    });
    expect(await application.get(asked)).toMatchObject({ status });
  });

  test('shows the schema under its own key', async () => {
    const application = await startApplication({
      database: await roomDatabase(),
      entities: [withFloor],
      migration: { health: { path: '/health' } },
      health: 'none',
    });
    const { body } = await application.get();
    expect(body).toMatchObject({ status: 'ok', info: { schema: { status: 'up', appliedSteps: 1 } } });
  });
});
