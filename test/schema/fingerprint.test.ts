import { beforeAll, describe, expect, test } from 'vitest';
import { fingerprintQuery } from '../../src/schema/fingerprint.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`
    create schema elsewhere;
    create type mood as enum ('good', 'bad');
    create domain positive as integer check (value > 0);
    create table parent (id serial primary key, label varchar(20) unique);
    create table child (id integer primary key, parent_id integer references parent, size integer default 1, mood mood);
    create index child_size on child (size);
    create index child_odd on child (size) where size > 3;
    create view sizes as select size from child;
    create sequence loose;
    comment on table child is 'small';
    create table elsewhere.referenced (id integer primary key);
    create table referring (id integer references elsewhere.referenced);
    create table parted (id integer not null, at date) partition by list (id);
    create table elsewhere.part partition of parted for values in (1);
    create table elsewhere.leaf (id integer not null, at date);
    create table elsewhere.branch partition of parted for values in (2) partition by list (at);
    create extension hstore`);
});

async function fingerprint(): Promise<string | undefined> {
  const [row] = await database.query<{ fingerprint: string }>(fingerprintQuery(['public']));
  return row?.fingerprint;
}

describe('the fingerprint changes with', () => {
  test.each([
    'alter table child add column extra text',
    'alter table child drop column extra',
    'alter table parent alter label type text',
    'alter table child alter size set default 2',
    'alter table child alter size drop default',
    'alter table child alter size set not null',
    `comment on column child.size is 'how large'`,
    `comment on table child is 'smaller'`,
    'comment on table child is null',
    'alter table child rename size to width',
    'alter table child add check (width > 0)',
    'alter table child drop constraint child_width_check',
    'alter table child add constraint later check (width > 1) not valid',
    'alter table child validate constraint later',
    'alter table child disable trigger all',
    'alter table child drop constraint child_parent_id_fkey',
    'create index on child (mood)',
    'drop index child_odd',
    'alter index child_size rename to child_width',
    `update pg_index set indisvalid = false where indexrelid = 'child_width'::regclass`,
    `alter type mood add value 'fair'`,
    `alter type mood rename value 'fair' to 'so-so'`,
    'alter domain positive drop constraint positive_check',
    'create or replace view sizes as select width as size from child where width > 1',
    'alter sequence loose owned by child.id',
    'alter sequence loose as integer',
    'alter table parent alter id drop default',
    'create table another (id integer)',
    'drop table another',
    'create extension citext',
    'drop extension citext',
    'drop table child cascade',
    'alter table elsewhere.referenced disable trigger all',
    'create index part_at on elsewhere.part (at)',
    `update pg_index set indisvalid = false where indexrelid = 'elsewhere.part_at'::regclass`,
    'drop index elsewhere.part_at',
    'create index only_parted on only parted (at)',
    'create index part_at on elsewhere.part (at)',
    'alter index only_parted attach partition elsewhere.part_at',
    'alter table parted detach partition elsewhere.part',
    'alter table parted attach partition elsewhere.leaf for values in (3)',
    'create table elsewhere.twig partition of elsewhere.branch default',
    'create index on elsewhere.twig (at)',
    'alter table elsewhere.branch detach partition elsewhere.twig',
    'alter extension hstore add table referring',
    'alter extension hstore drop table referring',
    'alter extension hstore add type mood',
    'alter extension hstore drop type mood',
  ])('%s', async (sql) => {
    const before = await fingerprint();
    await database.query(sql);
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('the fingerprint stays with', () => {
  test.each([
    'select 1',
    `insert into parent select g, g::text from generate_series(1, 1000) g`,
    'create table elsewhere.other (id integer primary key)',
    'create temporary table mine (id integer)',
    'begin; create table never (id integer); rollback',
    'vacuum analyze parent',
  ])('%s', async (sql) => {
    const before = await fingerprint();
    for (const statement of sql.split('; ')) await database.query(statement);
    expect(await fingerprint()).toBe(before);
  });
});
