import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from './database.js';

test('an empty database holds nothing and speaks UTF-8', async () => {
  const database = await createTestDatabase();
  expect(await database.query("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual(
    [],
  );
  expect(await database.query('SHOW server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
});

test('each copy of the hotel is one of its own', async () => {
  const [one, other] = await Promise.all([
    createTestDatabase({ template: 'hotel' }),
    createTestDatabase({ template: 'hotel' }),
  ]);
  expect(one.url).not.toBe(other.url);
  expect(await one.query('DELETE FROM request; SELECT count(*)::int AS requests FROM request')).toEqual([
    { requests: 0 },
  ]);
  const counts = `SELECT (SELECT count(*)::int FROM staff) AS staff, (SELECT count(*)::int FROM tenants) AS tenants,
    (SELECT count(*)::int FROM call) AS calls, (SELECT count(*)::int FROM request) AS requests`;
  expect(await other.query(counts)).toEqual([{ staff: 505, tenants: 20, calls: 50_000, requests: 5_000 }]);
});

test('a database is dropped while somebody is connected to it', async () => {
  const database = await createTestDatabase();
  const onlooker = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const connected = new pg.Client({ connectionString: database.url });
  connected.on('error', () => undefined);
  await connected.connect();
  await database.drop();
  await database.drop();
  expect(await onlooker.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).toEqual([]);
});
