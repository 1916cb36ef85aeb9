import pg from 'pg';
import { filter, firstValueFrom } from 'rxjs';
import { EntitySchema } from 'typeorm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigrationModuleOptions } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication, type Application } from './application.js';
import { blockMaintenance, waitingOf } from './blocker.js';
import { startProxy } from './database-proxy.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'varchar', nullable: true } },
});
const entities = [Room];

/** The application starts although the database is not there. */
const lazily = { manualInitialization: true };
const patient: AutoMigrationModuleOptions = {
  initializeDataSource: true,
  cron: '* * * * * *',
  jitterMs: 0,
  health: { details: true },
};

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table room (id integer primary key); insert into room values (1)');
});

/** What anybody may come to see of an application: its log and its health. */
async function said({ log, get }: Application): Promise<string> {
  return JSON.stringify([log.lines, await get()]);
}

const passwordOf = ({ url }: { readonly url: string }): string => new URL(url).password;

function reasonOf(application: Application): string {
  return application.migrations.status().reason;
}

describe('a database that is away at boot', () => {
  test('lets the application start, degraded, and is healed at a tick once it is there', async () => {
    const proxy = await startProxy(database, false);
    const application = await startApplication({
      database: proxy,
      entities,
      typeorm: lazily,
      migration: patient,
    });
    expect(await application.get()).toMatchObject({
      status: 200,
      body: { status: 'degraded', info: { schema: { reason: 'failed', lastCheckAt: null, openDrift: 0 } } },
    });
    expect(application.log.find('Could not look or heal')).toMatchObject({
      level: 'error',
      params: { error: expect.stringContaining('ECONNREFUSED') as string },
    });
    expect(await said(application)).not.toContain(passwordOf(proxy));

    const healed = firstValueFrom(
      application.migrations.events.pipe(filter(({ type }) => type === 'healed')),
    );
    await proxy.comeBack();
    await healed;
    expect((await application.get()).body).toMatchObject({
      status: 'ok',
      info: { schema: { reason: 'in-sync', appliedSteps: 1, lastError: null } },
    });
    expect(await application.migrations.history()).toMatchObject([{ trigger: 'cron', outcome: 'healed' }]);
  });

  test("is waited for with TypeORM's own retries where the application asks for no more", async () => {
    const proxy = await startProxy(database, false);
    const starting = startApplication({
      database: proxy,
      entities,
      typeorm: { retryAttempts: 100, retryDelay: 50 },
    });
    await proxy.comeBack();
    expect((await starting).migrations.status()).toMatchObject({ state: 'up', appliedSteps: 1 });
  });

  test("ends the boot with onFailure 'abort', and says why without the password", async () => {
    const proxy = await startProxy(database, false);
    const migration = { ...patient, onFailure: 'abort' as const };
    const application = await createApplication({ database: proxy, entities, typeorm: lazily, migration });
    const error: unknown = await application.nest.init().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'AutoMigrationError',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(String(error)).not.toContain(passwordOf(proxy));
  });
});

describe("onFailure 'abort'", () => {
  const Required = new EntitySchema({
    name: 'Room',
    tableName: 'room',
    columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer' } },
  });

  test('ends the boot when drift stays open, naming it', async () => {
    const application = await createApplication({
      database,
      entities: [Required],
      migration: { onFailure: 'abort' },
    });
    await expect(application.nest.init()).rejects.toThrow(
      'The schema is not what the entities ask for. public.room.floor: rows have NULL in it',
    );
  });

  test('ends the boot when another process heals for longer than it waits, naming that', async () => {
    const healer = new pg.Client({ connectionString: database.url });
    await healer.connect();
    await healer.query(`begin; select pg_advisory_xact_lock(1634560359, hashtext('auto_migration'))`);
    const migration = { onFailure: 'abort', waitForHealerMs: 0 } as const;
    const application = await createApplication({ database, entities, migration });
    await expect(application.nest.init()).rejects.toThrow(
      /pid \d+, since .* is healing, and was not done within waitForHealerMs/,
    );
    await healer.end();
  });

  test('lets the application start when all is healed', async () => {
    const application = await startApplication({ database, entities, migration: { onFailure: 'abort' } });
    expect(application.migrations.status()).toMatchObject({ state: 'up', appliedSteps: 1 });
  });
});

describe('an index whose name somebody has given to another', () => {
  const Indexed = new EntitySchema({
    name: 'Room',
    tableName: 'room',
    columns: { id: { type: 'integer', primary: true }, name: { type: 'varchar', nullable: true } },
    indices: [{ name: 'idx_room_name', columns: ['name'] }],
  });
  const options = {
    entities: [Indexed],
    migration: { execution: 'online' as const, health: { details: true } },
  };
  const takeTheName = (): Promise<unknown> =>
    database.query('create table suite (name text); create index idx_room_name on suite (name)');
  const ownerOfTheName = (): Promise<unknown> =>
    database.query(
      "select indrelid::regclass::text as owner from pg_index where indexrelid = to_regclass('idx_room_name')",
    );

  test('stays open, health tells why to those who may know, and the other is left alone', async () => {
    await takeTheName();
    const application = await startApplication({ database, ...options });
    const { schema } = (await application.get()).body.details;
    expect(schema).toMatchObject({ status: 'degraded', reason: 'drift', openDrift: 1, appliedSteps: 1 });
    const reason = 'the name idx_room_name is that of an index of public.suite; rename or drop that';
    const finding = { object: 'public.idx_room_name', disposition: 'open', reason };
    expect(schema?.['drift']).toEqual(expect.arrayContaining([expect.objectContaining(finding)]));
    expect(application.migrations.status().open).toMatchObject([finding]);
    expect(application.log.find('A step failed')).toBeUndefined();
    expect(await ownerOfTheName()).toEqual([{ owner: 'suite' }]);
  });

  test('leaves the other alone when the build is cancelled before it could know', async () => {
    const { migrations, close } = await startApplication({ database, ...options });
    await database.query('drop index idx_room_name');
    const blocker = await blockMaintenance(database, 'room');
    const healing = migrations.heal();
    await vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), 10_000);
    await takeTheName();
    await close();
    expect(await healing).toMatchObject({
      failed: [{ error: expect.stringContaining('Stopped: the application shuts down') as string }],
    });
    await blocker.release();
    expect(await ownerOfTheName()).toEqual([{ owner: 'suite' }]);
  });
});

test('a database that goes away and comes back: degraded meanwhile, and the process lives on', async () => {
  const proxy = await startProxy(database);
  const migration: AutoMigrationModuleOptions = { cron: '* * * * * *', jitterMs: 0 };
  const application = await startApplication({ database: proxy, entities, migration });
  expect(reasonOf(application)).toBe('in-sync');

  await proxy.goAway();
  await vi.waitFor(() => expect(reasonOf(application)).toBe('failed'), 10_000);
  const { status, body } = await application.get();
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'degraded', info: { schema: { appliedSteps: 1 } } });
  expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);
  expect(await said(application)).not.toContain(passwordOf(proxy));

  await database.query('alter table room drop column name');
  await proxy.comeBack();
  await vi.waitFor(() => expect(reasonOf(application)).toBe('in-sync'), 10_000);
  expect(application.migrations.status()).toMatchObject({ appliedSteps: 2, lastError: null });
});

test('a check that is too old degrades, whatever it found', async () => {
  const application = await startApplication({ database, entities, migration: { staleAfterMs: 1000 } });
  expect((await application.get()).body.status).toBe('ok');
  await vi.waitFor(() => expect(reasonOf(application)).toBe('stale'), 10_000);
  expect((await application.get()).body).toMatchObject({
    status: 'degraded',
    info: { schema: { reason: 'stale', openDrift: 0 } },
  });
  await application.migrations.check();
  expect(reasonOf(application)).toBe('in-sync');
});

const password = 'hunter2-s3cret';

/** How one can fail to get in; each has a password that must be told to nobody. */
const closedDoors: [title: string, change: (url: URL) => void, words: string][] = [
  ['a wrong password', (url) => (url.password = password), 'password authentication failed'],
  [
    'a role that is not there',
    (url) => Object.assign(url, { username: 'nobody', password }),
    'password authentication failed',
  ],
  ['a database that is not there', (url) => (url.pathname = '/no_such_database'), 'does not exist'],
  [
    'a host that is not there',
    (url) => Object.assign(url, { hostname: 'database.invalid', password }),
    'database.invalid',
  ],
  ['a port where nobody listens', (url) => Object.assign(url, { port: '1', password }), 'ECONNREFUSED'],
];

test.each(closedDoors)(
  '%s: the application starts, degraded, with a clear word',
  async (_title, change, words) => {
    const url = new URL(database.url);
    change(url);
    const migration = { ...patient, cron: false as const };
    const application = await startApplication({
      database: { url: url.href },
      entities,
      typeorm: lazily,
      migration,
    });
    expect(application.migrations.status()).toMatchObject({ state: 'degraded', reason: 'failed' });
    expect(application.log.find('Could not look or heal')).toMatchObject({
      level: 'error',
      params: { error: expect.stringContaining(words) as string },
    });
    expect(await said(application)).toContain(words);
    expect(await said(application)).not.toContain(url.password);
  },
);
