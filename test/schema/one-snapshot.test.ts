import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { connectorOf } from '../../src/desired/data-source.js';
import type { Connection, Result } from '../../src/schema/connection.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const TABLES = `create type state as enum ('free'); create table guest (id integer primary key);
  create table room (id serial primary key, floor integer default 1, state state, constraint room_floor check (floor > 0));
  create index room_by_floor on room (floor); create view upstairs as select id from room where floor > 1`;

/** What somebody commits while we read. */
const CHANGES = {
  renamed: 'alter table room rename column floor to storey; alter table room rename to chamber',
  dropped: 'drop view upstairs; alter table room drop column floor',
  replaced: `drop index room_by_floor; create index room_by_floor on room (floor desc); alter table room drop constraint room_floor;
    alter table room add constraint room_floor check (floor > 2); create or replace view upstairs as select id from room where floor > 2`,
  added: 'alter table guest add column floor integer; create table stay (id integer)',
};

let connection: Connection;
let database: TestDatabase;
const scope = [{ actual: 'public', reportedAs: 'public' }];

beforeAll(async () => {
  database = await createTestDatabase();
  connection = await connectorOf(await openDataSource(database.url, []))();
  return () => connection.close();
});

/** The statement that may be waiting for what our reading has locked, until it ends. */
let changing: Promise<unknown>;

/** A session whose message is interrupted by a change before its nth statement, the first time. */
function interrupted(before: number, change: string): Connection {
  let isDone = false;
  return {
    ...connection,
    query: async (text: string) => {
      const results: Result[] = [];
      for (const [i, statement] of text.split(';\n').entries()) {
        if (i === before && !isDone) {
          isDone = true;
          changing = database.query(change);
          await Promise.race([changing, sleep(200)]);
        }
        results.push((await connection.query(statement)) as Result);
      }
      return results as never;
    },
  };
}

describe.each(Object.entries(CHANGES))('what is %s while it is read', (_, change) => {
  // 0 begins, 1 and 2 set it up, and ten queries follow.
  test.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('before statement %i, is seen whole', async (statement) => {
    await database.query(`drop schema public cascade; create schema public; ${TABLES}`);
    const before = await readSchema(connection, scope);
    const seen = await readSchema(interrupted(statement, change), scope);
    await changing;
    const after = await readSchema(connection, scope);
    // Before it, where the change had to wait until we had read; else after it.
    expect(seen).toEqual(seen.fingerprint === before.fingerprint ? before : after);
  });
});

test('a schema that is being changed all the time is said to be', async () => {
  let changes = 0;
  const restless: Connection = {
    ...connection,
    query: async (text: string) => {
      const results = [];
      for (const statement of text.split(';\n')) {
        if (statement === 'commit') await database.query(`create table restless_${changes++} ()`);
        results.push(await connection.query(statement));
      }
      return results as never;
    },
  };
  vi.useFakeTimers({ toFake: ['setTimeout'] }).setTimerTickMode('nextTimerAsync');
  onTestFinished(() => void vi.useRealTimers());
  await expect(readSchema(restless, scope)).rejects.toThrow('somebody is changing the schema all the time');
});

test('a schema that is being healed by another process, step by step, is read in the end', async () => {
  const healed = new AbortController();
  const heal = async (session: number) => {
    for (let step = 0; !healed.signal.aborted; step++)
      await database.query(`create table step_${session}_${step} ()`);
  };
  const healing = [1, 2, 3].map(heal);
  await sleep(300);
  const reading = readSchema(connection, scope);
  await Promise.race([reading, sleep(2000)]);
  healed.abort();
  await Promise.all(healing);
  expect((await reading).tables.length).toBeGreaterThan(0);
});
