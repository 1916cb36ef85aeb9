import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/index.js';
import { connectorOf } from '../../src/desired/data-source.js';
import type { Connection } from '../../src/schema/connection.js';
import { SchemaLockedError } from '../../src/schema/holders.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const WAIT_MS = 300;
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

async function hold(ddl: string, held = 'lock table guest in access exclusive mode'): Promise<void> {
  await database.query(`create table guest (id serial primary key, name text); ${ddl}`);
  await holder.query(`begin; ${held}`);
}

test('a table that somebody has for himself alone is read all the same', async () => {
  await hold(`
    create table stay (id bigint generated always as identity primary key, guest integer default 1 references guest,
      arrived date not null default now(), name text collate "C", unique (guest, arrived));
    create index guest_by_name on guest (name);
    insert into guest default values; insert into stay default values`);
  const read = await Promise.race([readSchema(connection, SCOPE, WAIT_MS), sleep(4000)]);
  expect(read?.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
    ['guest', 2],
    ['stay', 4],
  ]);
});

/** Who is in the way, and how a look that had to wait for him tells so. */
interface Case {
  readonly ddl: string;
  /** Of a session, in an open transaction. */
  readonly held: string;
  readonly told: RegExp;
}

const CASES: Record<string, Case> = {
  'the table of a view': {
    ddl: 'create view guests as select * from guest',
    held: 'lock table guest in access exclusive mode',
    told: /public\.guest is held by pid \d+ \(nightly, idle in transaction\)/,
  },
  'the table of a view in another schema': {
    ddl: 'create schema o; create table o.house (id integer); create view houses as select * from o.house',
    held: 'lock table o.house in access exclusive mode',
    told: /o\.house is held by pid \d+ \(nightly, idle in transaction\)/,
  },
  'a sequence': {
    ddl: 'insert into guest default values',
    held: 'alter sequence guest_id_seq maxvalue 1000',
    told: /public\.guest_id_seq is held by pid \d+ \(nightly, idle in transaction\)/,
  },
};

test.each(Object.entries(CASES))(
  'where %s has to be opened, the look ends after a while and says who has it',
  async (_title, { ddl, held, told }) => {
    await hold(ddl, held);
    const reading = readSchema(connection, SCOPE, WAIT_MS);
    await expect(reading).rejects.toThrow(SchemaLockedError);
    await expect(reading).rejects.toThrow(told);
    await expect(reading).rejects.toThrow(
      /^The schema could not be read: a lock was waited for 0.3 s in vain\. /,
    );
    await holder.query('commit');
    expect((await readSchema(connection, SCOPE, WAIT_MS)).tables.length).toBeGreaterThan(0);
  },
);

test('who waits for a table, and lets nobody pass, is named with whom he waits for', async () => {
  await hold('create view guests as select * from guest', 'select from guest');
  const waiting = new pg.Client({ connectionString: database.url, application_name: 'deployment' });
  await waiting.connect();
  const altering = waiting.query('alter table guest add column vip boolean');
  await vi.waitFor(async () => {
    const waits = await database.query(
      `select from pg_locks where not granted and relation = 'guest'::regclass`,
    );
    expect(waits).toHaveLength(1);
  });
  await expect(readSchema(connection, SCOPE, WAIT_MS)).rejects.toThrow(
    /pid \d+ \(deployment, active\) waits for public\.guest behind pid \d+, and lets nobody pass/,
  );
  await holder.query('commit');
  await altering;
  await waiting.end();
});

test('a prepared transaction is named', async ({ skip }) => {
  const [may] = await database.query<{ prepare: boolean }>(
    `select current_setting('max_prepared_transactions')::int > 0 as prepare`,
  );
  skip(may?.prepare !== true, 'this server has no prepared transactions');
  await hold('create view guests as select * from guest');
  await holder.query(`prepare transaction 'nightly'`);
  onTestFinished(async () => {
    await database.query(`rollback prepared 'nightly'`);
  });
  await expect(readSchema(connection, SCOPE, WAIT_MS)).rejects.toThrow(
    /public\.guest is held by the prepared transaction nightly/,
  );
});

test('a check tells so, and the next one is as ever', async () => {
  await hold('create view guests as select * from guest');
  const migrator = new AutoMigrator(await openDataSource(database.url, []), { schemas: ['public'] });
  expect(await migrator.check()).toMatchObject({
    verdict: 'unknown',
    error: expect.stringContaining('public.guest is held by pid') as string,
  });
  await holder.query('commit');
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', error: null });
});
