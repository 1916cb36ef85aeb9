import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication } from './application.js';
import { block, holdSnapshot } from './blocker.js';

/** A column comes first, and is short; its index is built concurrently. */
const Stay = new EntitySchema({
  name: 'Stay',
  tableName: 'stay',
  columns: { id: { type: 'integer', primary: true }, nights: { type: 'integer', nullable: true } },
  indices: [{ name: 'idx_stay_nights', columns: ['nights'] }],
});

/** Every table counts as large. */
const migration = { execution: 'online', smallTableBytes: 0 } as const;
/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 20 };

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query('create table stay (id integer primary key); insert into stay values (1)');
});

async function columns(): Promise<unknown[]> {
  return database.query(
    `select attname from pg_attribute where attrelid = 'stay'::regclass and attname = 'nights'`,
  );
}

test('the application listens while a large index is built, and /health tells how far it is and who blocks', async () => {
  const blocker = await holdSnapshot(database);
  const { log, get } = await startApplication({ database, entities: [Stay], migration });
  expect(await columns()).toHaveLength(1);
  expect(log.find('Healing goes on in the background')).toBeDefined();
  await vi.waitFor(async () => {
    const { status, body } = await get();
    expect(status).toBe(200);
    expect(body.details['schema']).toMatchObject({
      status: 'degraded',
      reason: 'healing',
      progress: {
        step: 2,
        of: 2,
        action: 'create index',
        phase: 'waiting for old snapshots',
        blockedBy: [{ pid: expect.any(Number) as number, state: 'idle in transaction' }],
      },
    });
    expect(JSON.stringify(body)).not.toMatch(/select 1|concurrently/i);
  }, patiently);
  await blocker.release();
  await vi.waitFor(async () => {
    expect((await get()).body.details['schema']).toMatchObject({ status: 'up', reason: 'in-sync' });
  }, patiently);
});

test.each([
  { title: 'background is off', options: { background: false } },
  { title: "onFailure is 'abort'", options: { onFailure: 'abort' } },
] as const)('the boot waits for the index, too, where $title', async ({ options }) => {
  const { migrations } = await startApplication({
    database,
    entities: [Stay],
    migration: { ...migration, ...options },
  });
  expect(migrations.status()).toMatchObject({ reason: 'in-sync', appliedSteps: 2 });
});

test('the boot waits no longer than its budget, and the healing goes on', async () => {
  const blocker = await block(database, 'stay');
  const application = await createApplication({
    database,
    entities: [Stay],
    migration: { ...migration, bootstrapBudgetMs: 300, lockRetries: 50 },
  });
  await application.nest.listen(0, '127.0.0.1');
  await vi.waitFor(
    () => expect(application.migrations.status()).toMatchObject({ reason: 'healing', progress: { step: 1 } }),
    patiently,
  );
  await blocker.release();
  await vi.waitFor(
    () => expect(application.migrations.status()).toMatchObject({ reason: 'in-sync' }),
    patiently,
  );
});

test('a shutdown ends what goes on in the background, and leaves no carcass', async () => {
  const blocker = await holdSnapshot(database);
  const { close } = await startApplication({ database, entities: [Stay], migration });
  await close();
  await blocker.release();
  expect(await database.query('select from pg_index where not indisvalid')).toEqual([]);
});
