import { EntitySchema } from 'typeorm';
import { expect, test, vi } from 'vitest';
import { initializeInTime } from '../../src/desired/initialize.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { startApplication, type Application } from './application.js';
import { startProxy } from './database-proxy.js';

const Room = new EntitySchema({
  name: 'Room',
  tableName: 'room',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'varchar', nullable: true } },
});
const entities = [Room];
const reasonOf = ({ migrations }: Application): string => migrations.status().reason;
const patiently = { timeout: 20_000, interval: 50 };

test('a network that swallows all: the application starts, degraded, each tick tries again, and a shutdown ends', async () => {
  const database = await createTestDatabase();
  const proxy = await startProxy(database);
  proxy.fallSilent();
  const start = performance.now();
  const application = await startApplication({
    database: proxy,
    entities,
    typeorm: { manualInitialization: true, connectTimeoutMS: 1500 },
    migration: { initializeDataSource: true, cron: '* * * * * *', jitterMs: 0, bootstrapBudgetMs: 500 },
  });
  expect(performance.now() - start).toBeLessThan(5000);
  expect((await application.get()).body).toMatchObject({ status: 'degraded' });
  await vi.waitFor(() => expect(reasonOf(application)).toBe('failed'), patiently);

  proxy.speakAgain();
  await vi.waitFor(() => expect(reasonOf(application)).toBe('in-sync'), patiently);

  // Now the application's pool, by which a tick asks first, has sessions that nobody hears.
  proxy.fallSilent();
  await vi.waitFor(() => expect(reasonOf(application)).toBe('failed'), patiently);
  expect(application.migrations.status().lastError).toContain('no answer within 1.5 s');
  expect((await application.get()).body).toMatchObject({ status: 'degraded' });

  proxy.speakAgain();
  await database.query('alter table room drop column name');
  await vi.waitFor(() => expect(reasonOf(application)).toBe('in-sync'), patiently);
  expect(application.migrations.status()).toMatchObject({ appliedSteps: 2 });

  proxy.fallSilent();
  const stopping = performance.now();
  await application.close();
  expect(performance.now() - stopping).toBeLessThan(8000);
});

test('a data source is initialised within ten seconds or not, and its pool waits as the application has it wait', async () => {
  const { url } = await createTestDatabase();
  const dataSource = await openDataSource(url, entities);
  await dataSource.destroy();
  const limits: unknown[] = [];
  const initialize = dataSource.initialize.bind(dataSource);
  vi.spyOn(dataSource, 'initialize').mockImplementation(() => {
    limits.push('connectTimeoutMS' in dataSource.options && dataSource.options.connectTimeoutMS);
    return initialize();
  });
  await initializeInTime(dataSource);
  expect(limits).toEqual([10_000]);
  expect(dataSource.options).not.toHaveProperty('connectTimeoutMS');
  expect(dataSource.driver).toMatchObject({ master: { options: { connectionTimeoutMillis: 0 } } });
});
