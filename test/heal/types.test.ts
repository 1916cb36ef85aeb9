import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** A number column whose type becomes wider by a rewrite, and the outermost values of the type that it had. */
const WIDER: [from: string, to: EntitySchemaColumnOptions['type'], values: string[]][] = [
  ['smallint', 'integer', ['-32768', '32767']],
  ['smallint', 'bigint', ['-32768', '32767']],
  ['integer', 'bigint', ['-2147483648', '2147483647']],
  ['integer', 'numeric', ['-2147483648', '2147483647']],
  ['bigint', 'numeric', ['-9223372036854775808', '9223372036854775807']],
  ['real', 'double precision', ['-3.4028235e+38', '1e-45', '1.5', 'NaN', 'Infinity']],
];

const tables = WIDER.map(([from, to, values], number) => ({ table: `wider_${number}`, from, to, values }));

const id = { type: 'integer', primary: true } as const;
const bigId = { type: 'bigint', primary: true } as const;

const entities = [
  ...tables.map(
    ({ table, to }) =>
      new EntitySchema({ name: table, columns: { id, a: { type: to, nullable: true, default: 1 } } }),
  ),
  new EntitySchema({ name: 'author', columns: { id: bigId } }),
  new EntitySchema<Record<string, unknown>>({
    name: 'book',
    columns: { id, author_id: { type: 'bigint', nullable: true } },
    relations: {
      author: {
        type: 'many-to-one',
        target: 'author',
        joinColumn: { name: 'author_id', foreignKeyConstraintName: 'book_author' },
      },
    },
    indices: [{ name: 'book_author_id', columns: ['author_id'] }],
  }),
  new EntitySchema({ name: 'counted', columns: { id: { ...bigId, generated: 'increment' } } }),
];

async function createLegacy(database: TestDatabase): Promise<void> {
  for (const { table, from, values } of tables) {
    const rows = values.map((value, i) => `(${i}, '${value}')`);
    await database.query(
      `create table ${table} (id integer primary key, a ${from} default 1); insert into ${table} values ${rows.join(', ')}`,
    );
  }
  await database.query(`
    create table author (id integer primary key); insert into author values (1), (2);
    create table book (id integer primary key, author_id integer constraint book_author references author);
    create index book_author_id on book (author_id); insert into book values (1, 1), (2, 2), (3, null);
    create table counted (id serial primary key); insert into counted default values`);
}

const isTypeOpen = ({ drift }: CheckReport): string[] =>
  drift
    .filter(({ kind, disposition }) => kind === 'different-type' && disposition === 'open')
    .map(({ object }) => object);

describe('numbers that become wider', () => {
  let database: TestDatabase;
  let large: CheckReport;
  let report: HealReport;
  let after: CheckReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    await createLegacy(database);
    const dataSource = await openDataSource(database.url, entities);
    large = await new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 }).check();
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    report = await migrator.heal();
    after = await migrator.check();
  });

  test.each(tables)('$from to $to on a small table: every value is kept', async ({ table, from, values }) => {
    const rows = await database.query<{ same: boolean }>(
      `select a = v.value::text::${from} as same from ${table} t join unnest($1::text[]) with ordinality v(value, i) on v.i - 1 = t.id`,
      [values],
    );
    expect(rows).toEqual(values.map(() => ({ same: true })));
  });

  test('all of them, in one run, and nothing else is changed', () => {
    expect(report).toMatchObject({ failed: [], error: null });
    expect(after.drift.filter(({ disposition }) => disposition !== 'accepted')).toEqual([]);
  });

  test('a text that gets longer with its default, in one run', async () => {
    const other = await createTestDatabase();
    await other.query(`create table note (id integer primary key, a varchar(10) default 'x')`);
    const a = { type: 'text', nullable: true, default: 'x' } as const;
    const dataSource = await openDataSource(other.url, [
      new EntitySchema({ name: 'note', columns: { id, a } }),
    ]);
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
  });

  test('on a large table they are left to a person', () => {
    expect(isTypeOpen(large).toSorted()).toEqual(
      [
        ...tables.map(({ table }) => `public.${table}.a`),
        'public.author.id',
        'public.book.author_id',
        'public.counted.id',
      ].toSorted(),
    );
    const { reason, hazards } = large.drift.find(({ object }) => object === 'public.author.id') ?? {};
    expect(hazards).toEqual(['blocks']);
    expect(reason).toContain('large: public.author and public.book;');
  });

  test('a foreign key of the column and its index are there and valid', async () => {
    expect(
      await database.query(
        `select o.convalidated, x.indisvalid from pg_constraint o, pg_index x
         where o.conname = 'book_author' and x.indexrelid = 'book_author_id'::regclass`,
      ),
    ).toEqual([{ convalidated: true, indisvalid: true }]);
  });

  test('the sequence of a serial counts as far as the column', async () => {
    expect(
      await database.query(
        `select seqmax = 9223372036854775807 as far from pg_sequence where seqrelid = 'counted_id_seq'::regclass`,
      ),
    ).toEqual([{ far: true }]);
  });
});

test('a wider type locks what points to it from a schema that is not looked at', async () => {
  const database = await createTestDatabase();
  await database.query(`create table room (id integer constraint room_pkey primary key);
    create schema other; create table other.visit (id integer primary key, room_id bigint references room);
    insert into other.visit select g from generate_series(1, 60000) g; analyze`);
  const room = new EntitySchema({
    name: 'room',
    columns: { id: { ...bigId, primaryKeyConstraintName: 'room_pkey' } },
  });
  const dataSource = await openDataSource(database.url, [room]);
  const migrator = new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 200_000 });
  const { plan } = await migrator.plan();
  const units = [...(plan?.units ?? []), ...(plan?.openUnits ?? [])];
  expect(units.flatMap(({ steps }) => steps.flatMap(({ alsoLocks }) => alsoLocks))).toEqual([
    { schema: 'other', name: 'visit' },
  ]);
  expect(units[0]?.drift).toMatchObject({ disposition: 'open', hazards: ['blocks'] });
});
