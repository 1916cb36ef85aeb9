import { EntitySchema } from 'typeorm';
import { beforeEach, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

const Pet = new EntitySchema({
  name: 'pet',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text', nullable: true } },
});
const Run = new EntitySchema({
  name: 'run',
  columns: { id: { type: 'integer', primary: true }, kilometres: { type: 'integer', nullable: true } },
});

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

async function migratorOf(...entities: EntitySchema[]): Promise<AutoMigrator> {
  return new AutoMigrator(await openDataSource(database.url, entities), { journalSchema: 'public' });
}

/** Every table, view … of the schema, with its columns: nothing of it may change. */
function contents(): Promise<Record<string, unknown>[]> {
  return database.query(
    `select c.relname, c.relkind, obj_description(c.oid, 'pg_class') as comment, array(select attname || ' ' || atttypid::regtype from pg_attribute
       where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum) as columns
     from pg_class c where c.relnamespace = 'public'::regnamespace order by 1`,
  );
}

describe("a name that the journal wants is the application's own", () => {
  const cases: [title: string, sql: string, entities: EntitySchema[], name: string][] = [
    ['a table', 'create table run (id integer primary key, kilometres integer)', [Pet], 'run'],
    [
      'a table that looks like it',
      'create table claim (id bigint primary key, version text, tables text[])',
      [Pet],
      'claim',
    ],
    [
      'a table that says so, in part',
      `create table step (id bigint); comment on table step is 'A step of the journal'`,
      [Pet],
      'step',
    ],
    ['a view', 'create view fill as select 1 as id', [Pet], 'fill'],
    ['a sequence', 'create sequence desired', [Pet], 'desired'],
    ["an entity's table", 'create table run (id integer primary key)', [Pet, Run], 'run'],
    ['of an entity whose table is still to be made', '', [Pet, Run], 'run'],
  ];

  test.each(cases)(
    '%s: the option is refused, and nothing is touched',
    async (_title, sql, entities, name) => {
      await database.query(`create table pet (id integer primary key); ${sql}`);
      const before = await contents();
      const migrator = await migratorOf(...entities);
      const report = await migrator.heal();
      expect(report).toMatchObject({ outcome: 'failed', runId: null, applied: [] });
      expect(report.error).toMatch(/^Option "journalSchema" of nestjs-auto-migration: 'public' cannot hold/);
      expect(report.error).toContain(`public.${name} is there and is not the journal's`);
      expect(report.error).toContain('Name a schema that holds nothing else');
      expect(await migrator.check()).toMatchObject({ verdict: 'unknown', error: report.error });
      expect(await contents()).toEqual(before);
    },
  );
});

test("an older version's journal is read as it is, and gets what it lacks", async () => {
  await database.query('create table pet (id integer primary key)');
  const migrator = await migratorOf(Pet);
  await migrator.heal();
  const whole = await contents();
  await database.query(
    `alter table finding drop column former_default; alter table undo drop column refusal;
     alter table approval drop column dropping; drop table pin`,
  );
  await database.query('alter table pet drop column name');
  expect(await migrator.check()).toMatchObject({ verdict: 'drift', error: null });
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', error: null });
  expect(await contents()).toEqual(whole);
});

describe('a schema that others use, too, without such a name', () => {
  test('is taken by two processes at once, and the tables are not extra', async () => {
    await database.query('create table pet (id integer primary key)');
    const both = [await migratorOf(Pet), await migratorOf(Pet)];
    const reports = await Promise.all(both.map((migrator) => migrator.heal()));
    expect(reports.map(({ error }) => error)).toEqual([null, null]);
    expect(reports.flatMap(({ applied }) => applied)).toHaveLength(1);
    const { verdict, drift } = await (await migratorOf(Pet)).check();
    expect([verdict, ...drift.map(({ kind }) => kind)]).toEqual(['in-sync', 'named-differently']);
    expect(await both[1]?.history()).toHaveLength(1);
  });

  test('is known again by its columns where its comments are lost', async () => {
    const migrator = await migratorOf(Pet);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
    await database.query('comment on table run is null; comment on table claim is null');
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', error: null });
    expect(await migrator.history()).toHaveLength(1);
  });

  test('may be shown by an entity that is mapped onto it', async () => {
    await (await migratorOf(Pet)).heal();
    const columns = await database.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'run'::regclass and attnum > 0`,
    );
    expect(columns.length).toBeGreaterThan(5);
    const shown = new EntitySchema({
      name: 'run',
      columns: Object.fromEntries(
        columns.map(({ name, type }) => [
          name,
          { type: type as 'text', nullable: true, primary: name === 'id' },
        ]),
      ),
    });
    expect((await (await migratorOf(Pet, shown)).check()).error).toBeNull();
  });
});
