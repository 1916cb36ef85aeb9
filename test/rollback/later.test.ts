import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

type Columns = Record<string, EntitySchemaColumnOptions>;

const TEXT = { type: 'text', nullable: true } as const;

function table(name: string, columns: Columns = {}, schema?: string): EntitySchema {
  const id = { type: 'integer', primary: true, primaryKeyConstraintName: `${name}_pkey` } as const;
  return new EntitySchema({ name, ...(schema === undefined ? {} : { schema }), columns: { id, ...columns } });
}

const lift = (columns: Columns): EntitySchema => table('lift', columns);

async function hotel(more = ''): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query(
    `create table lift (id integer constraint lift_pkey primary key); insert into lift values (1), (2); ${more}`,
  );
  return database;
}

/** A release, of which no other one's process is there any more. */
async function release(
  database: TestDatabase,
  entities: EntitySchema[],
  options: AutoMigratorOptions = {},
): Promise<AutoMigrator> {
  const claims = `do $$ begin
    if to_regclass('auto_migration.claim') is not null then
      update auto_migration.claim set last_seen_at = clock_timestamp() - interval '1 hour'; end if; end $$`;
  await database.query(claims);
  return new AutoMigrator(await openDataSource(database.url, entities), { execution: 'online', ...options });
}

async function healedRun(migrator: AutoMigrator): Promise<string> {
  const { runId, outcome } = await migrator.heal();
  expect(outcome).toBe('healed');
  return runId ?? '';
}

const sqlOf = ({ applied }: { readonly applied: readonly { readonly sql: string }[] }): string[] =>
  applied.map(({ sql }) => sql);

describe('what a later run has done is not taken back by way of an earlier one', () => {
  test('a default, with which rows were written since', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [lift({ code: TEXT })]));
    const later = await release(database, [lift({ code: { ...TEXT, default: 'b' } })]);
    const laterRun = await healedRun(later);
    await database.query('insert into lift (id) values (3), (4)');
    const reason = `run ${laterRun} has changed it since; take that back first`;
    expect(await later.rollback(run, 'ada')).toMatchObject({ applied: [], notUndone: [{ reason }] });
    expect(sqlOf(await later.rollback(laterRun, 'ada'))).toHaveLength(1);
    const { applied, open } = await later.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(open.map((each) => each.reason)).toEqual([expect.stringMatching(/would lose 2 values/)]);
    expect(await database.query('select code from lift order by id')).toHaveLength(4);
  });

  test('a default that came by hand', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ code: TEXT })]);
    const run = await healedRun(migrator);
    await database.query(
      `alter table lift alter code set default 'b'; insert into lift (id) values (3); update lift set code = 'b' where id = 1`,
    );
    const { applied, open } = await migrator.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(open.map(({ reason }) => reason)).toEqual([expect.stringMatching(/would lose 2 values/)]);
  });

  test('a column of the name that the first one had', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [lift({ a: TEXT })]));
    await database.query(`update lift set a = 'kept'`);
    const renamedFrom = { columns: { 'lift.b': ['a'] } };
    await healedRun(await release(database, [lift({ b: TEXT })], { renamedFrom }));
    const last = await release(database, [lift({ a: TEXT, b: TEXT })]);
    const lastRun = await healedRun(last);
    expect(await last.rollback(run, 'ada')).toMatchObject({
      outcome: 'nothing-to-do',
      notUndone: [{ reason: `run ${lastRun} has changed it since; take that back first` }],
      pinned: [],
    });
    expect(await database.query('select a, b from lift')).toEqual([
      { a: null, b: 'kept' },
      { a: null, b: 'kept' },
    ]);
  });

  test('a table of the name that the first one had', async () => {
    const database = await hotel();
    const run = await healedRun(await release(database, [table('a')]));
    await database.query('insert into a values (1)');
    await healedRun(await release(database, [table('b')], { renamedFrom: { tables: { b: ['a'] } } }));
    const last = await release(database, [table('a'), table('b')]);
    const lastRun = await healedRun(last);
    const { applied, notUndone } = await last.rollback(run, 'ada');
    expect(applied).toEqual([]);
    expect(notUndone.map(({ reason }) => reason)).toContain(
      `run ${lastRun} has changed it since; take that back first`,
    );
    expect(await database.query('select * from a, b')).toEqual([]);
  });
});

describe('what was undone stays undone', () => {
  test('where another application of the database carries out what was approved', async () => {
    const database = await hotel('create table room (id integer constraint room_pkey primary key)');
    const one = await release(database, [lift({ code: TEXT })]);
    const other = await release(database, [table('room')]);
    const run = await healedRun(one);
    await database.query(`update lift set code = 'x' where id = 1`);
    const { open } = await one.rollback(run, 'ada');
    await one.approve(
      open.map(({ id }) => id),
      'ada',
    );
    expect(sqlOf(await other.heal())).toEqual(['ALTER TABLE "public"."lift" DROP COLUMN "code"']);
    expect(await one.heal()).toMatchObject({
      outcome: 'nothing-to-do',
      open: [{ kind: 'missing-column', hazards: ['pinned'] }],
    });
  });

  test('where the former release had it undone, while the new one runs', async () => {
    const database = await hotel();
    const migrator = await release(database, [lift({ code: TEXT })]);
    const run = await healedRun(migrator);
    const former = await release(database, [lift({})]);
    expect(await former.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', pinned: [] });
    expect(await migrator.heal()).toMatchObject({ applied: [], open: [{ hazards: ['pinned'] }] });
  });

  test('until the entities have asked for something else, and got it', async () => {
    const database = await hotel();
    const first = await release(database, [lift({ code: TEXT })]);
    await first.rollback(await healedRun(first), 'ada');
    const short = { type: 'character varying', length: 5, nullable: true } as const;
    await healedRun(await release(database, [lift({ code: short })]));
    const again = await release(database, [lift({ code: TEXT })]);
    expect(await again.heal()).toMatchObject({ outcome: 'healed', applied: [{ action: 'change type' }] });
  });
});

test('what is in schemas that are not looked at is neither undone now nor later', async () => {
  const database = await hotel(
    'create schema app; create table app.x (id integer constraint x_pkey primary key)',
  );
  const entities = [lift({ code: TEXT }), table('x', { code: TEXT }, 'app')];
  const all = await release(database, entities);
  const run = await healedRun(all);
  const part = await release(database, entities, { schemas: ['public'] });
  expect(await part.rollback(run, 'ada')).toMatchObject({
    outcome: 'partly-undone',
    applied: [{ object: 'public.lift.code' }],
    notUndone: [{ object: 'app.x.code', reason: 'it is in a schema that is not looked at' }],
  });
  expect(await all.heal()).toMatchObject({ applied: [], open: [{ object: 'public.lift.code' }] });
});
