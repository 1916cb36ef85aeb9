import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/index.js';
import { connectorOf } from '../../src/desired/data-source.js';
import type { Connection } from '../../src/schema/connection.js';
import { SchemaLockedError } from '../../src/schema/holders.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const SCOPE = [{ actual: 'public', reportedAs: 'public' }];

let database: TestDatabase;
let connection: Connection;
let holder: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  holder = new pg.Client({ connectionString: database.url, application_name: 'nightly' });
  await holder.connect();
  closeAfter('test', () => holder.end());
  connection = await connectorOf(await openDataSource(database.url, []))();
  closeAfter('test', () => connection.close());
});

async function hold(ddl: string): Promise<void> {
  await database.query(`create table guest (id serial primary key, name text); ${ddl}`);
  await holder.query('begin; lock table guest in access exclusive mode');
}

test('a table that somebody has for himself alone is read all the same', async () => {
  await hold(`
    create table stay (id bigint generated always as identity primary key, guest integer default 1 references guest,
      arrived date not null default now(), name text collate "C", unique (guest, arrived));
    create index guest_by_name on guest (name);
    insert into guest default values; insert into stay default values`);
  const read = await Promise.race([readSchema(connection, SCOPE), sleep(4000)]);
  expect(read?.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
    ['guest', 2],
    ['stay', 4],
  ]);
});

/** For a view's text PostgreSQL opens what it selects from, in each version. */
const VIEW = 'create view guests as select * from guest';

test('where it has to be opened for the text of a view, the look ends after a while and says who has it', async () => {
  await hold(VIEW);
  const reading = readSchema(connection, SCOPE);
  await expect(reading).rejects.toThrow(SchemaLockedError);
  await expect(reading).rejects.toThrow(
    /within 5 s: public\.guest is held by pid \d+ \(nightly, idle in transaction\)\. Nothing was compared/,
  );
  await holder.query('commit');
  expect((await readSchema(connection, SCOPE)).tables).toHaveLength(2);
});

test('a check tells so, and the next one is as ever', async () => {
  await hold(VIEW);
  const migrator = new AutoMigrator(await openDataSource(database.url, []), { schemas: ['public'] });
  expect(await migrator.check()).toMatchObject({
    verdict: 'unknown',
    error: expect.stringContaining('public.guest is held by pid') as string,
  });
  await holder.query('commit');
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', error: null });
});
