import type pg from 'pg';
import { EntitySchema, type DataSource } from 'typeorm';
import { beforeAll, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** STRIDE=1 dies before each of some 300 statements; that takes a quarter of an hour. */
const STRIDE = Number(process.env['STRIDE'] ?? 37);

const ROWS = 30;

/** All ways of filling: a volatile default, a serial, an identity, a backfill; each NOT NULL in the end. */
const guest = new EntitySchema({
  name: 'guest',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'guest_pkey' },
    name: { type: 'text' },
    code: { type: 'uuid', default: () => 'gen_random_uuid()' },
    counter: { type: 'integer', generated: 'increment' },
    // EntitySchema takes it, though its types do not say so.
    number: { type: 'bigint', generated: 'identity' as 'increment' },
    nick: { type: 'text' },
  },
});

const LEGACY = `
  drop table if exists guest, touched;
  drop schema if exists auto_migration cascade;
  create table guest (id integer primary key, name text not null);
  insert into guest select g, 'Guest ' || g from generate_series(1, ${ROWS}) g;
  create table touched (id integer, at timestamptz default clock_timestamp());
  create or replace function touch() returns trigger language plpgsql as $$ begin
    insert into public.touched (id) values (new.id); return new; end $$;
  create trigger touch before update on guest for each row execute function touch();`;

const backfills = [{ table: 'guest', column: 'nick', expression: 'lower(name)', batchSize: 10, pauseMs: 0 }];

let database: TestDatabase;
let dataSource: DataSource;

/** What the healing opens its sessions with. */
const poolOf = ({ driver }: DataSource): { Client: typeof pg.Client } =>
  (driver as unknown as { master: { Client: typeof pg.Client } }).master;

let Client: typeof pg.Client;

/** From the nth statement of the healing's sessions on none reaches the server, as if the process had been killed. */
function dieAt(limit: number): { readonly statements: () => number } {
  let count = 0;
  poolOf(dataSource).Client = class extends Client {
    override query(...args: unknown[]): never {
      const { connection } = this as unknown as { connection: { stream: { destroy(): void } } };
      if (++count >= limit) connection.stream.destroy();
      return super.query(...(args as [string])) as never;
    }
  };
  return { statements: () => count };
}

const heal = (): Promise<unknown> =>
  new AutoMigrator(dataSource, { execution: 'online', backfills, lockRetries: 1 }).heal();

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await openDataSource(database.url, [guest]);
  // As a decorator would say it, which knows an option more.
  const number = dataSource.getMetadata('guest').findColumnWithPropertyName('number');
  if (number) number.generatedIdentity = 'ALWAYS';
  ({ Client } = poolOf(dataSource));
});

async function state(): Promise<Record<string, unknown> | undefined> {
  const [row] = await database.query(`select
      (select count(*)::int from guest) as rows,
      (select count(*)::int from guest where nick = lower(name)) as nicks,
      (select count(distinct code)::int from guest) as codes,
      (select count(distinct counter)::int from guest where counter between 1 and 90) as counters,
      (select count(distinct number)::int from guest where number between 1 and 90) as numbers,
      (select array_agg(attname::text order by attname) from pg_attribute
        where attrelid = 'guest'::regclass and attnum > 0 and attnotnull) as required,
      (select attidentity::text from pg_attribute where attrelid = 'guest'::regclass and attname = 'number') as identity,
      (select array_agg(times::int) from (select distinct count(*) as times from touched group by id) t) as "timesTouched",
      (select array_agg(distinct f.state) from auto_migration.fill f) as states,
      array(select relname::text from pg_class where relname like 'auto\\_migration\\_%' and relnamespace = 'public'::regnamespace
        union all select conname::text from pg_constraint where conname like 'auto\\_migration\\_%') as "leftOver"`);
  return row;
}

test('a run that dies before any of its statements is finished by the next, and no row is filled twice', async () => {
  await database.query(LEGACY);
  const whole = dieAt(Infinity);
  expect(await heal()).toMatchObject({ outcome: 'healed' });
  const expected = await state();
  expect(expected).toMatchObject({
    rows: ROWS,
    nicks: ROWS,
    codes: ROWS,
    counters: ROWS,
    numbers: ROWS,
    required: ['code', 'counter', 'id', 'name', 'nick', 'number'],
    identity: 'a',
    timesTouched: [4],
    states: ['done'],
    leftOver: [],
  });
  for (let limit = 10; limit <= whole.statements(); limit += STRIDE) {
    await database.query(LEGACY);
    dieAt(limit);
    await heal();
    dieAt(Infinity);
    const next = await heal();
    expect({ limit, next: (next as { outcome: string }).outcome, ...(await state()) }).toEqual({
      limit,
      next: expect.stringMatching(/^(healed|nothing-to-do)$/) as string,
      ...expected,
    });
    await database.query(`insert into guest (id, name, nick) values (100, 'New', 'new')`);
    const [last] = await database.query(
      'select bool_and(number < n and counter < c) as grows from guest, (select number as n, counter as c from guest where id = 100) x where id < 100',
    );
    expect(last).toEqual({ grows: true });
  }
}, 600_000);
