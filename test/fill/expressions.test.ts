import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { BackfillOptions } from '../../src/desired/backfill-options.js';
import { hasValue } from '../../src/drift/fill.js';
import { updateOf } from '../../src/plan/plan-fills.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

// PostgreSQL evaluates what AND connects in any order, the cheapest first: rows for which an expression fails must cost
// no other row its value, and none may be asked that is not meant.

const column = { type: 'integer', nullable: true } as const;

const entity = new EntitySchema({
  name: 'guest',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'guest_pkey' },
    nights: column,
    born: { type: 'text', nullable: true },
    share: column,
  },
});

type Fill = BackfillOptions & { readonly expression: string };

/** Guests 1 to n, of whom one has stayed for no night. Their statistics are known, as the plan hangs on them. */
async function guests(rows: number): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query(`create table guest (id integer constraint guest_pkey primary key,
      nights integer, born text, share integer);
    insert into guest (id, nights, born) select i, i - ${Math.ceil(rows / 2)}, i from generate_series(1, ${rows}) i; analyze guest`);
  return database;
}

async function healed(database: TestDatabase, fill: Fill, execution: 'online' | 'atomic' = 'online') {
  const migrator = new AutoMigrator(await openDataSource(database.url, [entity]), {
    execution,
    backfills: [{ table: 'guest', column: 'share', pauseMs: 0, ...fill }],
  });
  return migrator.heal();
}

const unfilled = (database: TestDatabase): Promise<{ id: number }[]> =>
  database.query('select id from guest where share is null order by id');

describe.each([5, 50, 1000])('of %i rows', (rows) => {
  const bad = Math.ceil(rows / 2);

  test.each([
    ['an operator', '10 / nights'],
    ['a cast', `case when nights = 0 then 'none' else born end::integer`],
    ['a function', `(array[1])[1] / nights + length(born)`],
  ])('the one that fails is left alone, and named: %s', async (_title, expression) => {
    const database = await guests(rows);
    const { failed } = await healed(database, { expression });
    expect(failed).toMatchObject([
      { error: expect.stringMatching(`^1 row could not be filled, the first id = ${bad}: `) as string },
    ]);
    expect(await unfilled(database)).toEqual([{ id: bad }]);
  });

  test.each(['online', 'atomic'] as const)(
    'one that is not meant is not asked for: %s',
    async (execution) => {
      const database = await guests(rows);
      const fill = { expression: '10 / nights', where: `nights > 0 or (nights < 0 and born <> 'b')` };
      expect(await healed(database, fill, execution)).toMatchObject({ outcome: 'healed', failed: [] });
      expect(await unfilled(database)).toEqual([{ id: bad }]);
    },
  );

  test.each(['online', 'atomic'] as const)('one that has a value is not asked for: %s', async (execution) => {
    const database = await guests(rows);
    await database.query(`update guest set share = 7 where id = ${bad}`);
    const fill = { expression: '10 / nights' };
    expect(await healed(database, fill, execution)).toMatchObject({ outcome: 'healed', failed: [] });
    expect(await unfilled(database)).toEqual([]);
  });
});

describe('a condition with a sub-select', () => {
  const where = 'id in (select guest_id from stay)';

  /** Of 100 guests those with an even number have stayed, and those with an odd one make the expression fail. */
  async function stays(): Promise<TestDatabase> {
    const database = await guests(100);
    await database.query(`update guest set nights = id % 2 - 1; create table stay (guest_id integer);
      insert into stay select i * 2 from generate_series(1, 50) i; analyze`);
    return database;
  }

  test.each([undefined, 1, 7])('spares the rows that it leaves out, in batches of %s', async (batchSize) => {
    const database = await stays();
    const fill = { expression: '10 / nights', where, ...(batchSize === undefined ? {} : { batchSize }) };
    expect(await healed(database, fill)).toMatchObject({ outcome: 'healed', failed: [] });
    expect(await unfilled(database)).toHaveLength(50);
    expect(await database.query('select count(*)::int as filled from guest where share = -10')).toEqual([
      { filled: 50 },
    ]);
  });

  test('leaves the row to the expression as the application knows it', async () => {
    const database = await stays();
    await database.query(
      'create function doubled(one guest) returns integer language sql stable as $$ select one.nights * 2 $$',
    );
    const expression = `case when tableoid = 'guest'::regclass then doubled(guest) end`;
    expect(await healed(database, { expression, where })).toMatchObject({ outcome: 'healed', failed: [] });
    expect(await unfilled(database)).toHaveLength(50);
  });

  test('is a join where all rows are filled at once', async () => {
    const database = await stays();
    const table = { schema: 'public', name: 'guest' };
    const options = { batchSize: null, pauseMs: null, repeat: 'once' } as const;
    const update = updateOf({ table, column: 'share', expression: 'id', where, ...options });
    const plan = await database.query<{ 'QUERY PLAN': string }>(`explain ${update}`);
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toMatch(/Semi Join|HashAggregate/);
    expect(lines).not.toContain('SubPlan');
  });
});

test('a key whose operators are in another schema leaves no row out', async () => {
  const database = await createTestDatabase();
  await database.query(`create schema other; create extension citext schema other;
    create table guest (id other.citext collate "C" primary key, nights integer, born text, share integer);
    insert into guest (id, nights) select case i % 2 when 0 then 'x' else 'Y' end || i, i from generate_series(1, 66) i`);
  const text = new EntitySchema({
    name: 'guest',
    columns: {
      id: { type: 'citext', primary: true },
      nights: column,
      born: { type: 'text', nullable: true },
      share: column,
    },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [text]), {
    execution: 'online',
    backfills: [{ table: 'guest', column: 'share', expression: 'nights', batchSize: 3, pauseMs: 0 }],
  });
  await migrator.heal();
  expect(await database.query('select id from guest where share is distinct from nights')).toEqual([]);
});

test('whether rows are left is asked of an index that has those', async () => {
  const database = await guests(20_000);
  await database.query(`update guest set share = 1; create index on guest (id) where share is null`);
  await database.query('vacuum analyze guest');
  const condition = hasValue({ expression: '10 / nights', where: 'nights > 0' }, 'share');
  const plan = await database.query<{ 'QUERY PLAN': string }>(
    `explain select exists (select from guest where ${condition})`,
  );
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index (?:Only )?Scan/);
});

test('what is told of rows that fail is of one of them', async () => {
  const database = await guests(50);
  await database.query(`alter table guest add constraint first check (id <> 7 or share is null),
    add constraint second check (id <> 9 or share is null)`);
  const { failed, open } = await healed(database, { expression: 'id' });
  expect(failed).toMatchObject([
    { error: expect.stringMatching(/^2 rows could not be filled, the first id = 7: .*"first"/) as string },
  ]);
  expect(open).toMatchObject([{ reason: expect.stringMatching(/"first"/) as string }]);
  const [fill] = await database.query('select sample_keys, error from auto_migration.fill');
  expect(fill).toMatchObject({
    sample_keys: ['id = 7', 'id = 9'],
    error: expect.stringMatching(/"first"/) as string,
  });
});
