import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { beforeAll, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

type Entity = Partial<EntitySchemaOptions<Record<string, unknown>>>;

interface Violation {
  readonly title: string;
  /** Rows of `$table (id integer, code text, parent_id integer)`, as VALUES or SELECT. */
  readonly rows: string;
  readonly entity: Entity;
  readonly reason: string;
}

const unique: Entity = { uniques: [{ name: '$table_key', columns: ['code'] }] };
const pair: Entity = { uniques: [{ name: '$table_key', columns: ['code', 'parent_id'] }] };
const different = 'make them different';
const half = {
  half: { type: 'integer', nullable: true, generatedType: 'STORED', asExpression: 'id / 2' },
} as const;

const cases: Violation[] = [
  {
    title: 'one value twice',
    rows: `values (1, 'b', 1), (2, 'b', 1), (3, 'a', 1), (4, null, 1), (5, null, 1)`,
    entity: unique,
    reason: `1 value occurs more than once, in 2 rows: b; ${different}`,
  },
  {
    title: 'many values, of which the most frequent are named',
    rows: `select g, chr(97 + g % 7), 1 from generate_series(1, 16) g`,
    entity: unique,
    reason: `7 values occur more than once, in 16 rows, most often: b, c, a, d, e; ${different}`,
  },
  {
    title: 'a long value is cut',
    rows: `select g, repeat('x', 100), 1 from generate_series(1, 2) g`,
    entity: unique,
    reason: `1 value occurs more than once, in 2 rows: ${'x'.repeat(60)}…; ${different}`,
  },
  {
    title: 'two columns',
    rows: `values (1, 'b', 1), (2, 'b', 1), (3, 'b', 2)`,
    entity: pair,
    reason: `1 value occurs more than once, in 2 rows: (b, 1); ${different}`,
  },
  {
    title: 'a unique index with a predicate',
    rows: `values (1, 'b', 1), (2, 'b', 1), (-3, 'c', 1), (-4, 'c', 1)`,
    entity: { indices: [{ name: '$table_key', columns: ['code'], unique: true, where: 'id > 0' }] },
    reason: `1 value occurs more than once, in 2 rows: b; ${different}, or the index not unique`,
  },
  {
    title: 'a check',
    rows: `values (1, 'b', 1), (-2, 'b', 1), (-3, 'b', 1)`,
    entity: { checks: [{ name: '$table_key', expression: 'id > 0' }] },
    reason: 'violated by 2 rows; mend them, or the check',
  },
  {
    title: 'a foreign key',
    rows: `values (1, 'b', 1), (2, 'b', 99), (3, 'b', null)`,
    entity: {
      relations: {
        parent: {
          type: 'many-to-one',
          target: 'parent',
          joinColumn: { name: 'parent_id', foreignKeyConstraintName: '$table_key' },
        },
      },
    },
    reason: 'violated by 1 row with nothing to point to; mend or delete them, or add what they point to',
  },
  {
    title: 'a unique of a column that is generated and not there yet',
    rows: `values (2, 'b', 1), (3, 'b', 1), (4, 'b', 1)`,
    entity: { columns: half, uniques: [{ name: '$table_key', columns: ['half'] }] },
    reason: `1 value occurs more than once, in 2 rows: 1; ${different}`,
  },
  {
    title: 'a check of a column that is generated and not there yet',
    rows: `values (1, 'b', 1), (2, 'b', 1)`,
    entity: { columns: half, checks: [{ name: '$table_key', expression: 'half > 0' }] },
    reason: 'violated by 1 row; mend them, or the check',
  },
];

const tables = cases.map((each, number) => ({ ...each, table: `violation_${number}` }));

const id = { type: 'integer', primary: true } as const;
const column = (type: 'text' | 'integer') => ({ type, nullable: true }) as const;
const parent = new EntitySchema({ name: 'parent', columns: { id } });
const heap = new EntitySchema({ name: 'heap', columns: { id } });

function entityOf({ table, entity }: (typeof tables)[number]): EntitySchema {
  const named = JSON.parse(JSON.stringify(entity).replaceAll('$table', table)) as Entity;
  const columns = { id, code: column('text'), parent_id: column('integer'), ...named.columns };
  return new EntitySchema({ ...named, name: table, columns });
}

let report: CheckReport;

beforeAll(async () => {
  const database = await createTestDatabase();
  await database.query('create table parent (id integer primary key); insert into parent values (1), (2)');
  for (const { table, rows } of tables)
    await database.query(
      `create table ${table} (id integer primary key, code text, parent_id integer); insert into ${table} ${rows}`,
    );
  await database.query(
    'create table heap (id integer); insert into heap values (1), (1), (null), (null), (2)',
  );
  const dataSource = await openDataSource(database.url, [parent, heap, ...tables.map(entityOf)]);
  report = await new AutoMigrator(dataSource).check();
});

test.each(tables)('$title: open, and the reason says how many rows and which', ({ table, reason }) => {
  const found = report.drift.filter(
    ({ table: of, disposition }) => of === `public.${table}` && disposition === 'open',
  );
  expect(found.map((each) => [each.disposition, each.hazards, each.reason])).toEqual([
    ['open', ['violated'], reason],
  ]);
});

test('a primary key: both kinds of rows that stand in its way', () => {
  const found = report.drift.find(
    ({ kind, table }) => kind === 'missing-constraint' && table === 'public.heap',
  );
  expect(found?.reason).toBe(
    `NULL in 2 rows of id; fill them; 1 value occurs more than once, in 2 rows: 1; ${different}`,
  );
});

test('the rows are told in the reason alone, so that the finding has the same id whoever they are', () => {
  const { reason: _, ...rest } =
    report.drift.find(({ kind, table }) => kind === 'missing-constraint' && table === 'public.violation_2') ??
    {};
  expect(JSON.stringify(rest)).not.toContain('xxx');
});
