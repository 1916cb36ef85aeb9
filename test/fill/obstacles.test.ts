import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { APPLICATION_NAME } from '../../src/desired/session.js';
import type { BackfillOptions } from '../../src/desired/backfill-options.js';
import type { HealProgress } from '../../src/heal/heal-progress.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { startLink } from '../../bench/link.mjs';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

let database: TestDatabase;
let other: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  other = new pg.Client({ connectionString: database.url });
  await other.connect();
});

afterAll(() => other.end());

function entityOf(table: string, column: Partial<EntitySchemaColumnOptions> = {}): EntitySchema {
  return new EntitySchema({
    name: table,
    columns: {
      id: {
        type: 'integer',
        primary: true,
        generated: 'increment',
        primaryKeyConstraintName: `${table}_pkey`,
      },
      name: { type: 'text', nullable: true },
      a: { type: 'text', nullable: true, ...column },
    },
  });
}

/** A table with the text column `name`, and a backfill of `a` in it. */
async function prepare(
  table: string,
  names: string[],
  fill: BackfillOptions & { expression: string; column?: Partial<EntitySchemaColumnOptions> },
  options: AutoMigratorOptions = {},
): Promise<AutoMigrator> {
  await database.query(`create table ${table} (id serial primary key, name text)`);
  await database.query(`insert into ${table} (name) select unnest($1::text[])`, [names]);
  const { column, ...backfill } = fill;
  return new AutoMigrator(await openDataSource(database.url, [entityOf(table, column)]), {
    execution: 'online',
    lockTimeoutMs: 50,
    lockRetries: 1,
    backfills: [{ table, column: 'a', ...backfill }],
    ...options,
  });
}

const rowsOf = (table: string): Promise<{ a: unknown; xmin: string }[]> =>
  database.query(`select a, xmin::text from ${table} order by id`);
const valuesOf = async (table: string): Promise<unknown[]> => (await rowsOf(table)).map(({ a }) => a);

test('a row that somebody holds is not waited for, and is all that the next run touches', async () => {
  const migrator = await prepare('held', ['a', 'b', 'c'], {
    expression: 'upper(name)',
    column: { nullable: false },
  });
  await database.query('alter table held add a text');
  await other.query('begin; select from held where id = 2 for update');
  const report = await migrator.heal();
  expect(report).toMatchObject({ outcome: 'failed', failed: [{ action: 'fill', object: 'public.held.a' }] });
  expect(report.failed[0]?.error).toMatch(
    /^1 row is held by other transactions.*\. What was filled stays, the rest is NULL$/,
  );
  expect(report.open.map(({ kind }) => kind).toSorted()).toEqual([
    'different-nullability',
    'unfilled-column',
  ]);
  const before = await rowsOf('held');
  expect(before.map(({ a }) => a)).toEqual(['A', null, 'C']);

  await other.query('rollback');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  const after = await rowsOf('held');
  expect(after.map(({ a }) => a)).toEqual(['A', 'B', 'C']);
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
});

test('what an application writes meanwhile stays', async () => {
  const migrator = await prepare('written', ['a', 'b', 'c'], {
    expression: 'upper(name)',
    batchSize: 1,
    pauseMs: 100,
  });
  let writing: Promise<unknown> | undefined;
  await migrator.heal({
    onProgress: ({ action, percent }) => {
      if (action === 'fill') writing ??= database.query(`update written set a = 'mine' where id = 3`);
      return percent;
    },
  });
  await writing;
  expect((await valuesOf('written'))[2]).toBe('mine');
});

describe('a batch that is under way while nobody else has been seen, and has come as far as its first row', () => {
  /** Whom a fill takes for one of ours. */
  let unseen: pg.Client;

  beforeAll(async () => {
    unseen = new pg.Client({ connectionString: database.url, application_name: APPLICATION_NAME });
    await unseen.connect();
  });
  afterAll(() => unseen.end());

  /** The healing, once it is there; a trigger holds it up, and the batch before for as long as somebody is remembered. */
  async function begin(table: string): Promise<{ readonly healing: Promise<HealReport> }> {
    const names = ['before', 'before', 'before', 'a', 'b', 'c'];
    const migrator = await prepare(table, names, { expression: 'upper(name)', batchSize: 3 });
    await database.query(`alter table ${table} add a text;
      create function ${table}() returns trigger language plpgsql as $$ begin
        perform pg_sleep(case old.id when 1 then 2.5 else 1 end); return new; end $$;
      create trigger t before update on ${table} for each row when (old.id in (1, 4) and old.name = new.name) execute function ${table}()`);
    const healing = migrator.heal();
    const underWay = `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'
      and exists (select from ${table} where id = 3 and a is not null)`;
    await vi.waitFor(async () => expect((await unseen.query(underWay)).rowCount).toBe(1), {
      timeout: 20_000,
      interval: 10,
    });
    return { healing };
  }

  const ownOf = async (table: string): Promise<unknown[]> => (await valuesOf(table)).slice(3);

  test('overwrites no value that came meanwhile, and fills what was otherwise changed', async () => {
    const { healing } = await begin('overtaken');
    await database.query(
      `update overtaken set a = 'mine' where id = 6; update overtaken set name = 'z' where id = 5`,
    );
    expect(await healing).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await ownOf('overtaken')).toEqual(['A', 'Z', 'mine']);
  });

  test('gives way to whoever holds a row of it and waits for another', async () => {
    await other.query(`begin; set local deadlock_timeout = '20s'`);
    const { healing } = await begin('crossed');
    await other.query('update crossed set name = $1 where id = 6', ['y']);
    await other.query('update crossed set name = $1 where id = 4', ['x']);
    await other.query('commit');
    expect(await healing).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    // Whoever comes first gets the row that both want, when the batch has let go of it.
    expect(await ownOf('crossed')).toEqual([expect.stringMatching(/^[AX]$/), 'B', 'Y']);
  });
});

describe.each([
  {
    title: 'a cast',
    table: 'cast_',
    expression: 'name::integer',
    column: { type: 'integer' as const },
    error: /invalid input syntax for type integer: "two"/,
  },
  {
    title: 'a length',
    table: 'length_',
    expression: `case name when 'two' then repeat('x', 9) else name end`,
    column: { type: 'varchar' as const, length: 5 },
    error: /value too long/,
  },
  {
    title: 'a trigger that raises',
    table: 'raising',
    trigger: `raise 'not two'`,
    expression: 'name',
    column: {},
    error: /not two/,
  },
  {
    title: 'a trigger that skips it',
    table: 'skipping',
    trigger: 'return null',
    expression: 'name',
    column: {},
    error: /a trigger of the table skips the update, or sets it back to NULL/,
  },
  {
    title: 'a trigger that sets it back',
    table: 'resetting',
    trigger: 'new.a := null',
    expression: 'name',
    column: {},
    error: /a trigger of the table skips the update, or sets it back to NULL/,
  },
])('a row that is refused by $title', ({ table, trigger, expression, column, error }) => {
  let migrator: AutoMigrator;

  beforeAll(async () => {
    const names = ['1', 'two', '3', '4', '5', '6', '7'];
    migrator = await prepare(table, names, { expression, column: { ...column, nullable: false } });
    if (trigger)
      await database.query(`create function ${table}() returns trigger language plpgsql as $$ begin
        if new.name = 'two' then ${trigger}; end if; return new; end $$;
        create trigger t before update on ${table} for each row execute function ${table}()`);
  });

  test('is counted, named and left; all others are filled, and the column stays nullable', async () => {
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'partly-healed', failed: [{ action: 'fill' }] });
    expect(report.failed[0]?.error).toMatch(/^1 row could not be filled, the first id = 2: /);
    expect(report.failed[0]?.error).toMatch(error);
    expect((await valuesOf(table)).map(String)).toEqual(['1', 'null', '3', '4', '5', '6', '7']);
    const [fill] = await database.query(
      `select state, filled::int, failed::int, sample_keys as keys from auto_migration.fill where table_name = $1`,
      [table],
    );
    expect(fill).toEqual({ state: 'pending', filled: 6, failed: 1, keys: ['id = 2'] });
  });

  test('is told by every look, and not tried at every tick', async () => {
    const { drift } = await migrator.check();
    const reasons = drift
      .filter(({ disposition }) => disposition === 'open')
      .map(({ kind, reason }) => [kind, reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      'unfilled-column': expect.stringMatching(/^1 row could not be filled \(id = 2\): /) as string,
      'different-nullability': expect.stringMatching(/^its backfill leaves NULL in 1 row;/) as string,
    });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null });
  });

  test('is filled when it was mended and the time has come', async () => {
    await database.query(`update ${table} set name = '2' where id = 2`).catch(() => undefined);
    if (trigger)
      await database.query(`drop trigger t on ${table}; update ${table} set name = '2' where id = 2`);
    await database.query(
      `update auto_migration.fill set finished_at = now() - interval '61 minutes' where table_name = $1`,
      [table],
    );
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect((await valuesOf(table)).map(String)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });
});

test('rows that a trigger skips, beside one that it refuses and one that somebody holds: all are told apart', async () => {
  const migrator = await prepare('mixed', ['a', 'skipped', 'refused', 'held', 'e'], { expression: 'name' });
  await database.query(`create function mixed() returns trigger language plpgsql as $$ begin
    if new.name = 'refused' then raise 'not this one'; end if;
    if new.name = 'skipped' then return null; end if; return new; end $$;
    create trigger t before update on mixed for each row execute function mixed();
    alter table mixed add a text`);
  await other.query('begin; select from mixed where id = 4 for update');
  const held = await migrator.heal();
  expect(held.failed[0]?.error).toMatch(/^1 row is held by other transactions/);
  await other.query('rollback');
  const told = await migrator.heal();
  expect(told.failed[0]?.error).toMatch(/^2 rows could not be filled, the first id = /);
  expect(await valuesOf('mixed')).toEqual(['a', null, null, 'held', 'e']);
  const [fill] = await database.query<{ keys: string[] }>(
    `select sample_keys as keys from auto_migration.fill where table_name = 'mixed'`,
  );
  expect(fill?.keys.toSorted()).toEqual(['id = 2', 'id = 3']);
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', failed: [] });
});

describe('a table whose rows a trigger makes more of, or moves, is swept to where it ended', () => {
  const cases = [
    {
      title: 'rows without a key that are set back to NULL: each is met once, and all are counted',
      table: 'moving',
      id: 'integer',
      trigger: 'new.a := null',
      left: 3000,
      errors: [expect.stringMatching(/^3000 rows could not be filled, ctid = .* among them: /) as string],
      fill: { state: 'pending', failed: 3000 },
    },
    {
      title: 'rows without a key of which some are set back',
      table: 'partly_moving',
      id: 'integer',
      trigger: `if new.name like '%7' then new.a := null; end if`,
      left: 300,
      errors: [expect.stringMatching(/^300 rows could not be filled, ctid = .* among them: /) as string],
      fill: { state: 'pending', failed: 300 },
    },
    {
      title: 'a row more for each that is filled',
      table: 'growing',
      id: 'serial primary key',
      trigger: `insert into growing (name) values (new.name)`,
      left: 3000,
      errors: [],
      fill: { state: 'done', failed: 0 },
    },
  ];

  test.each(cases)('$title', async ({ table, id, trigger, left, errors, fill }) => {
    await database.query(`create table ${table} (id ${id}, name text, a text);
      insert into ${table} (id, name) select i, 'name ' || i from generate_series(1, 3000) i;
      create function ${table}() returns trigger language plpgsql as $$ begin ${trigger}; return new; end $$;
      create trigger t before update on ${table} for each row execute function ${table}()`);
    if (id !== 'integer') await database.query(`select setval('${table}_id_seq', 3000)`);
    const backfills = [{ table, column: 'a', expression: 'upper(name)' }];
    const migrator = await prepare(`beside_${table}`, [], { expression: 'name' }, { backfills });
    const report = await migrator.heal();
    expect(report.failed.map(({ error }) => error)).toEqual(errors);
    const [rows] = await database.query(`select count(*) filter (where a is null)::int as left,
      pg_relation_size('${table}') < 8e6 as "isSmall" from ${table}`);
    expect(rows).toEqual({ left, isSmall: true });
    const record = 'select state, failed::int from auto_migration.fill where table_name = $1';
    expect(await database.query(record, [table])).toEqual([fill]);
  });
});

test('an expression that PostgreSQL cannot read fails at once, with its message, and touches no row', async () => {
  const migrator = await prepare('unreadable', ['a'], { expression: 'nmae', column: { nullable: false } });
  const report = await migrator.heal();
  expect(report.failed).toMatchObject([{ action: 'fill', object: 'public.unreadable.a' }]);
  expect(report.failed[0]?.error).toMatch(/^column "nmae" does not exist/);
  expect(await valuesOf('unreadable')).toEqual([null]);
});

test('atomic: one row that is refused undoes all', async () => {
  const migrator = await prepare(
    'all_or_nothing',
    ['1', 'two'],
    { expression: 'name::integer', column: { type: 'integer' } },
    { execution: 'atomic' },
  );
  expect(await migrator.heal()).toMatchObject({ outcome: 'failed', applied: [] });
  const columns = `select attname from pg_attribute where attrelid = 'all_or_nothing'::regclass and attname = 'a'`;
  expect(await database.query(columns)).toEqual([]);
});

test('every-run: what was set to NULL is filled again, and a database without such rows is in sync', async () => {
  const migrator = await prepare('again', ['a', 'b'], { expression: 'name', repeat: 'every-run' });
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  const runs = (await migrator.history()).length;
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
  expect(await migrator.history()).toHaveLength(runs);
  await database.query('update again set a = null where id = 1');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  expect(await valuesOf('again')).toEqual(['a', 'b']);
});

test('a backfill of a column that is not there is told', async () => {
  const migrator = await prepare(
    'told',
    ['a'],
    { expression: 'name' },
    {
      backfills: [{ table: 'told', column: 'firstName', expression: 'name' }],
    },
  );
  expect((await migrator.check()).warnings).toEqual([
    'The backfill of public.told.firstName fills nothing: there is no such column',
  ]);
});

test.each([
  ['row', 'key'],
  ['key', 'row'],
  ['k1', 'k0'],
  ['is_empty', 'k0'],
])('a key of the columns %s and %s is met in its own order, whatever we call ours', async (one, other_) => {
  const table = `key_${one}_${other_}`;
  await database.query(`create table ${table} ("${one}" integer, "${other_}" integer, a text, primary key ("${one}", "${other_}"));
    insert into ${table} select i, -i from generate_series(40, 1, -1) i`);
  const backfills = [{ table, column: 'a', expression: `"${one}"::text`, batchSize: 3, pauseMs: 0 }];
  const migrator = await prepare(`beside_${table}`, [], { expression: 'name' }, { backfills });
  expect(await migrator.heal()).toMatchObject({ failed: [] });
  expect(await database.query(`select count(a)::int as filled from ${table}`)).toEqual([{ filled: 40 }]);
});

test('a table that is in no entity is filled, and not otherwise touched', async () => {
  await database.query(
    `create table foreign_ (id integer primary key, a text); insert into foreign_ values (1, null)`,
  );
  const migrator = await prepare(
    'owned',
    ['a'],
    { expression: 'name' },
    {
      backfills: [{ table: 'foreign_', column: 'a', expression: 'id::text' }],
    },
  );
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  expect(await valuesOf('foreign_')).toEqual(['1']);
});

test('it tells how far it is, and goes slowly while the table is being vacuumed', async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `${i}`);
  const migrator = await prepare('vacuumed', names, { expression: 'name', batchSize: 500 });
  await database.query('alter table vacuumed add a text; analyze vacuumed');
  // It sleeps after each page, and so is at work for as long as the test needs.
  await other.query(`set vacuum_cost_delay = 100; set vacuum_cost_limit = 1`);
  const vacuum = other.query('vacuum vacuumed').catch(() => undefined);
  await vi.waitFor(
    async () => expect(await database.query('select from pg_stat_progress_vacuum')).toHaveLength(1),
    { timeout: 20_000, interval: 10 },
  );
  const seen: HealProgress[] = [];
  expect(await migrator.heal({ onProgress: (progress) => seen.push(progress) })).toMatchObject({
    outcome: 'healed',
  });
  const first = seen.find(({ percent }) => percent === 25);
  expect(first).toMatchObject({
    action: 'fill',
    phase: expect.stringMatching(/^filling: 500 of about 2000 rows/) as string,
  });
  expect(first?.remainingMs).toBeGreaterThan(0);
  expect(seen.map(({ phase }) => phase).join()).toContain('slowly: the table is being vacuumed');
  await vacuum;
});

test('at the end of a slow link batches are no smaller', async () => {
  await database.query(`create table far (id serial primary key, name text, a text);
    insert into far (name) select i from generate_series(1, 2000) i`);
  const link = await startLink(database.url, 150);
  const dataSource = await openDataSource(link.url, [entityOf('far')]);
  try {
    const backfills = [{ table: 'far', column: 'a', expression: 'name', pauseMs: 0 }];
    const migrator = new AutoMigrator(dataSource, { execution: 'online', backfills });
    const phases = new Set<string>();
    const onProgress = ({ phase }: HealProgress): unknown =>
      phase?.startsWith('filling') && phases.add(phase);
    expect(await migrator.heal({ onProgress })).toMatchObject({ outcome: 'healed', failed: [] });
    expect(phases.size).toBeLessThan(20);
  } finally {
    await dataSource.destroy();
    await link.close();
  }
});

test.each([
  { title: 'at once', table: 'audited', trigger: 'create trigger', when: '' },
  {
    title: 'in the end',
    table: 'deferring',
    trigger: 'create constraint trigger',
    when: 'deferrable initially deferred',
  },
])('what triggers do after it, $title, counts for the time of a batch', async ({ table, trigger, when }) => {
  await database.query(`create table ${table} (id serial primary key, name text, a text);
    insert into ${table} (name) select i from generate_series(1, 2000) i;
    create function ${table}() returns trigger language plpgsql as $$ begin perform pg_sleep(0.001); return null; end $$;
    ${trigger} t after update on ${table} ${when} for each row execute function ${table}()`);
  const backfills = [{ table, column: 'a', expression: 'name' }];
  const migrator = await prepare(`beside_${table}`, [], { expression: 'name' }, { backfills });
  const phases = new Set<string>();
  const onProgress = ({ phase }: HealProgress): unknown => phase?.startsWith('filling') && phases.add(phase);
  expect(await migrator.heal({ onProgress })).toMatchObject({ failed: [] });
  expect(phases.size).toBeGreaterThan(10);
});
