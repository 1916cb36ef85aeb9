import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { connectorOf } from '../../src/desired/data-source.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

test('a table that somebody holds is read all the same', async () => {
  const database = await createTestDatabase();
  await database.query(`
    create table guest (id serial primary key);
    create table stay (id bigint generated always as identity primary key, guest integer default 1 references guest,
      arrived date not null default now(), name text collate "C", unique (guest, arrived));
    create index stay_by_arrival on stay (arrived);
    insert into guest default values; insert into stay default values`);
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  closeAfter('test', () => holder.end());
  await holder.query('begin; lock table guest, stay in access exclusive mode');
  const connection = await connectorOf(await openDataSource(database.url, []))();
  try {
    const reading = readSchema(connection, [{ actual: 'public', reportedAs: 'public' }]);
    const read = await Promise.race([reading, sleep(5000)]);
    expect(read?.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
      ['guest', 1],
      ['stay', 4],
    ]);
  } finally {
    await connection.close();
  }
});
