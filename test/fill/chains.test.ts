import pg from 'pg';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { BackfillDeclaration } from '../../src/desired/backfill-options.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createTestRole } from '../setup/role.js';

/** Backfills that read what others of the same run fill. */
interface Chain {
  readonly title: string;
  readonly backfills: readonly BackfillDeclaration[];
  /** Of `bed`, beside its id and those of the legacy table. */
  readonly columns: Readonly<Record<string, EntitySchemaColumnOptions>>;
  readonly query: string;
  readonly values: unknown[];
}

const LEGACY = `create table hotel (id integer constraint hotel_pkey primary key, name text);
  create table bed (id integer constraint bed_pkey primary key, hotel_id integer);
  insert into hotel values (1, 'Inn'); insert into bed values (1, 1), (2, 1), (3, null)`;

const text = { type: 'text', nullable: true } as const;
const slugOfHotel = { table: 'hotel', column: 'slug', expression: 'lower(name)' };
const slugOfRoom = {
  table: 'bed',
  column: 'slug',
  expression: '(select slug from hotel h where h.id = bed.hotel_id)',
};

const CHAINS: Chain[] = [
  {
    title: 'of another table, which is filled after it',
    backfills: [slugOfRoom, slugOfHotel],
    columns: { slug: text },
    query: 'select slug from bed order by id',
    values: ['inn', 'inn', null],
  },
  {
    title: 'of the same table, column by column, the last one first',
    backfills: [
      { table: 'bed', column: 'a', expression: `b || '!'` },
      { table: 'bed', column: 'b', expression: `c || '!'` },
      { table: 'bed', column: 'c', expression: `slug || '!'` },
      { table: 'bed', column: 'slug', expression: 'id::text' },
    ],
    columns: { a: { type: 'text' }, b: { type: 'text' }, c: { type: 'text' }, slug: text },
    query: 'select a from bed order by id',
    values: ['1!!!', '2!!!', '3!!!'],
  },
  {
    title: 'of a column with a default of its own for each row',
    backfills: [{ table: 'bed', column: 'slug', expression: `'key ' || length(key::text)` }],
    columns: { slug: text, key: { type: 'uuid', default: () => 'gen_random_uuid()' } },
    query: 'select slug from bed order by id',
    values: ['key 36', 'key 36', 'key 36'],
  },
];

async function migratorOf(
  database: TestDatabase,
  { columns, backfills }: Pick<Chain, 'columns' | 'backfills'>,
  options: AutoMigratorOptions,
): Promise<AutoMigrator> {
  const key = { type: 'integer', primary: true } as const;
  const hotel = new EntitySchema<Record<string, unknown>>({
    name: 'hotel',
    columns: { id: { ...key, primaryKeyConstraintName: 'hotel_pkey' }, name: text, slug: text },
  });
  const bed = new EntitySchema<Record<string, unknown>>({
    name: 'bed',
    columns: {
      id: { ...key, primaryKeyConstraintName: 'bed_pkey' },
      hotel_id: { type: 'integer', nullable: true },
      ...columns,
    },
  });
  // Fills come in the order of the names of their tables.
  const dataSource = await openDataSource(database.url, [bed, hotel]);
  return new AutoMigrator(dataSource, {
    lockTimeoutMs: 50,
    lockRetries: 1,
    backfills: [...backfills],
    ...options,
  });
}

describe.each<Execution>(['online', 'atomic'])(
  'a backfill reads what the same run fills, execution %s',
  (execution) => {
    test.each(CHAINS)('$title', async (chain) => {
      const database = await createTestDatabase();
      await database.query(LEGACY);
      const migrator = await migratorOf(database, chain, { execution });
      const { applied, ...report } = await migrator.heal();
      expect(report).toMatchObject({ outcome: 'healed', failed: [], open: [] });
      // However often it was swept.
      const fills = applied.filter(({ action }) => action === 'fill').map(({ object }) => object);
      expect(fills).toEqual([...new Set(fills)]);
      const written = `select object from auto_migration.step where action = 'fill' order by id`;
      expect((await database.query(written)).map(({ object }) => object)).toEqual(fills);
      expect((await database.query(chain.query)).flatMap(Object.values)).toEqual(chain.values);
      expect(await database.query('select distinct state from auto_migration.fill')).toEqual([
        { state: 'done' },
      ]);
      expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    });
  },
);

const BY_HOTEL = { columns: { slug: text }, backfills: [slugOfRoom, slugOfHotel] };
const states = (database: TestDatabase): Promise<unknown[]> =>
  database.query('select table_name as "table", state, filled::int from auto_migration.fill order by 1');

test('what reads rows that somebody holds is not done before they are filled', async () => {
  const database = await createTestDatabase();
  await database.query(LEGACY);
  const migrator = await migratorOf(database, BY_HOTEL, { execution: 'online' });
  await database.query('alter table hotel add slug text; alter table bed add slug text');
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  await other.query('begin; select from hotel for update');
  expect(await migrator.heal()).toMatchObject({ failed: [{ object: 'public.hotel.slug' }] });
  expect(await states(database)).toEqual([
    { table: 'bed', state: 'swept', filled: 0 },
    { table: 'hotel', state: 'pending', filled: 0 },
  ]);
  await other.end();
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  expect(await states(database)).toEqual([
    { table: 'bed', state: 'done', filled: 2 },
    { table: 'hotel', state: 'done', filled: 1 },
  ]);
});

test('what reads rows that were refused is not swept at each tick, and is filled with them', async () => {
  const database = await createTestDatabase();
  await database.query(LEGACY);
  await database.query(`create function refuse() returns trigger language plpgsql as 'begin raise ''no''; end';
    create trigger t before update on hotel for each row execute function refuse()`);
  const migrator = await migratorOf(database, BY_HOTEL, { execution: 'online' });
  expect(await migrator.heal()).toMatchObject({ failed: [{ object: 'public.hotel.slug' }] });
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
  await database.query(`drop trigger t on hotel;
    update auto_migration.fill set finished_at = now() - interval '61 minutes' where failed > 0`);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  expect((await database.query('select slug from bed order by id')).flatMap(Object.values)).toEqual([
    'inn',
    'inn',
    null,
  ]);
});

test.each<Execution>(['online', 'atomic'])(
  'what reads rows that the role may not fill is swept once more when it may, %s',
  async (execution) => {
    const database = await createTestDatabase();
    await database.query(`${LEGACY}; insert into bed values (4, 1);
      alter table hotel add slug text; alter table bed add slug text; update bed set slug = 'own' where id = 4`);
    const { role, url } = await createTestRole(database);
    await database.query(`grant select on hotel, bed to ${role}; grant update on bed to ${role};
      grant create on database ${new URL(url).pathname.slice(1)} to ${role}`);
    const migrator = await migratorOf({ ...database, url }, BY_HOTEL, { execution });
    expect(await migrator.heal()).toMatchObject({
      failed: [],
      open: [{ kind: 'unfilled-column', object: 'public.hotel.slug' }],
    });
    expect(await states(database)).toEqual([{ table: 'bed', state: 'swept', filled: 0 }]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });

    await database.query(`grant update on hotel to ${role}`);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect((await database.query('select slug from bed order by id')).flatMap(Object.values)).toEqual([
      'inn',
      'inn',
      null,
      'own',
    ]);
    expect(await database.query('select distinct state from auto_migration.fill')).toEqual([
      { state: 'done' },
    ]);
  },
);

describe('beside a fill whose rows were refused by an earlier run', () => {
  const REFUSING = `${LEGACY}; alter table hotel add slug text; alter table bed add slug text;
    create function refuse() returns trigger language plpgsql as 'begin raise ''no''; end';
    create trigger t before update on hotel for each row execute function refuse()`;

  async function afterRefusal(
    expression: string,
  ): Promise<{ database: TestDatabase; migrator: AutoMigrator }> {
    const database = await createTestDatabase();
    await database.query(`${REFUSING}; delete from bed where hotel_id is null`);
    const columns = { slug: { type: 'text' } } as const;
    const earlier = await migratorOf(
      database,
      { columns, backfills: [slugOfHotel] },
      { execution: 'online' },
    );
    await earlier.heal();
    const backfills = [slugOfHotel, { table: 'bed', column: 'slug', expression }];
    return {
      database,
      migrator: await migratorOf(database, { columns, backfills }, { execution: 'online' }),
    };
  }

  test('what leaves no row is done', async () => {
    const { database, migrator } = await afterRefusal('id::text');
    expect(await migrator.heal()).toMatchObject({ failed: [], open: [{ object: 'public.hotel.slug' }] });
    expect(await states(database)).toEqual([
      { table: 'bed', state: 'done', filled: 2 },
      { table: 'hotel', state: 'pending', filled: 0 },
    ]);
  });

  test('what leaves rows waits with its NOT NULL, and is not swept at each tick', async () => {
    const { database, migrator } = await afterRefusal(slugOfRoom.expression);
    expect(await migrator.heal()).toMatchObject({ failed: [] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null });
    await database.query(`drop trigger t on hotel;
      update auto_migration.fill set finished_at = now() - interval '61 minutes' where failed > 0`);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect((await database.query('select slug from bed')).flatMap(Object.values)).toEqual(['inn', 'inn']);
  });
});
