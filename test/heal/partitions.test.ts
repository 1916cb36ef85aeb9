import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { partitionIndexName } from '../../src/schema/temporary-names.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { PARTITIONED } from './partitioned-table.js';

type Entity = Partial<EntitySchemaOptions<Record<string, unknown>>>;

interface PartitionCase {
  readonly title: string;
  /** More SQL; `$table` stands for the table's name. */
  readonly also?: string;
  readonly entity?: Entity;
  /** @default '$table_wanted' */
  readonly index?: string;
  /** What is done, in order, without the table's name. */
  readonly steps: string[];
}

const index: Entity = { indices: [{ name: '$table_wanted', columns: ['code'] }] };
const uniqueIndex: Entity = { indices: [{ name: '$table_wanted', columns: ['code', 'day'], unique: true }] };
const unique: Entity = { uniques: [{ name: '$table_wanted', columns: ['code', 'day'] }] };

/** `_1` is a partition, `_2` one that has `_2_1` and `_2_2` itself. */
const built = [
  'create index without partitions',
  'create index _1',
  'attach index _1',
  'create index without partitions _2',
  'create index _2_1',
  'attach index _2_1',
  'create index _2_2',
  'attach index _2_2',
  'attach index _2',
];
const key = (kind: string): string[] => [
  'create index _1',
  'create index _2_1',
  'create index _2_2',
  `add ${kind} without partitions`,
  `add ${kind} _1`,
  'attach index _1',
  `add ${kind} without partitions _2`,
  `add ${kind} _2_1`,
  'attach index _2_1',
  `add ${kind} _2_2`,
  'attach index _2_2',
  'attach index _2',
];

const cases = [
  { title: 'an index', entity: index, steps: built },
  { title: 'a unique index', entity: uniqueIndex, steps: built },
  { title: 'a unique constraint', entity: unique, steps: key('unique') },
  {
    title: 'a primary key',
    also: 'alter table $table drop constraint $table_pkey',
    index: '$table_pkey',
    steps: key('primary key'),
  },
  {
    title: 'an index that a partition has already',
    also: 'create index on $table_1 (code)',
    entity: index,
    steps: built.filter((each) => each !== 'create index _1'),
  },
  {
    title: 'an index that a whole branch has already',
    also: 'create index on $table_2 (code)',
    entity: index,
    steps: [...built.slice(0, 3), 'attach index _2'],
  },
  {
    title: 'an index that another tool has begun',
    also: `create index $table_wanted on only $table (code); create index $table_1_code on $table_1 (code);
      alter index $table_wanted attach partition $table_1_code`,
    entity: index,
    steps: built.slice(3),
  },
  {
    title: 'an index of a partition half-built',
    also: `create index $carcass on $table_1 (code);
      update pg_index set indisvalid = false where indexrelid = '$carcass'::regclass`,
    entity: index,
    steps: [built[0] ?? '', 'drop index _1', ...built.slice(1)],
  },
  {
    title: 'a begun index of another definition',
    also: 'create index $table_wanted on only $table (id)',
    entity: index,
    steps: ['drop index', ...built],
  },
  {
    title: 'an index that replaces another',
    also: 'create index $table_wanted on $table (id)',
    entity: index,
    steps: [...built, 'drop index', 'rename index'],
  },
  {
    title: 'a unique that another tool has begun',
    also: `alter table only $table add constraint $table_wanted unique (code, day);
      alter table $table_1 add constraint $table_1_u unique (code, day);
      alter index $table_wanted attach partition $table_1_u`,
    entity: unique,
    steps: key('unique').filter(
      (each) => !/_1$|unique without partitions$/.test(each) || each.includes('_2_1'),
    ),
  },
].map((each: PartitionCase, number): PartitionCase & { readonly table: string } => {
  const table = `parted_${number}`;
  const carcass = partitionIndexName(`${table}_wanted`, { schema: 'public', name: `${table}_1` });
  const text = JSON.stringify({ index: '$table_wanted', ...each, table });
  const named = text.replaceAll('$table', table).replaceAll('$carcass', carcass);
  return JSON.parse(named) as PartitionCase & { readonly table: string };
});

describe('indexes and keys of large partitioned tables come partition by partition', () => {
  let database: TestDatabase;
  let report: HealReport;
  let after: CheckReport;
  let again: HealReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const { table, also = '' } of cases)
      await database.query(`${PARTITIONED.legacy.replaceAll('$table', table)}; ${also}`);
    const entities = cases.map(({ table: name, entity }) => {
      const { columns } = PARTITIONED;
      return new EntitySchema({
        columns: JSON.parse(JSON.stringify(columns).replaceAll('$table', name)) as object,
        ...entity,
        name,
      });
    });
    const dataSource = await openDataSource(database.url, entities);
    const migrator = new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 });
    report = await migrator.heal();
    after = await migrator.check();
    again = await migrator.heal();
  });

  test('all of them', () => {
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    expect(after.drift.filter(({ disposition }) => disposition !== 'accepted')).toEqual([]);
    expect(again).toMatchObject({ outcome: 'nothing-to-do' });
  });

  test.each(cases)('$title', async ({ table, index: name, steps }) => {
    const done = report.applied
      .filter(
        (step) =>
          (step.table ?? '').startsWith(`public.${table}`) &&
          !/^\d/.test((step.table ?? '').slice(`public.${table}`.length)),
      )
      .map(({ action, table: on }) => `${action} ${(on ?? '').slice(`public.${table}`.length)}`.trim());
    expect(done).toEqual(steps);
    const leaves = await database.query(
      `select bool_and(x.indisvalid) as valid, count(*)::int as indexes
       from pg_partition_tree($1::regclass) t join pg_index x on x.indexrelid = t.relid`,
      [name],
    );
    expect(leaves).toEqual([{ valid: true, indexes: 5 }]);
  });

  test('one with a foreign partition cannot, and stays open', async () => {
    const mixed = await createTestDatabase();
    await mixed.query(`${PARTITIONED.legacy.replaceAll('$table', 'parted')}; alter table parted drop constraint parted_pkey;
      create extension file_fdw; create server files foreign data wrapper file_fdw;
      create foreign table parted_3 partition of parted for values from (30) to (40) server files options (filename '/dev/null')`);
    const entity = JSON.parse(JSON.stringify(index).replaceAll('$table', 'parted')) as Entity;
    const dataSource = await openDataSource(mixed.url, [
      new EntitySchema({ columns: PARTITIONED.columns, ...entity, name: 'parted' }),
    ]);
    const { drift } = await new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 }).check();
    expect(drift.find(({ kind }) => kind === 'missing-index')).toMatchObject({
      disposition: 'open',
      hazards: ['blocks'],
    });
  });

  test('a small one is built at once', async () => {
    const small = await createTestDatabase();
    await small.query(PARTITIONED.legacy.replaceAll('$table', 'parted'));
    const entity = JSON.parse(JSON.stringify(index).replaceAll('$table', 'parted')) as Entity;
    const dataSource = await openDataSource(small.url, [
      new EntitySchema({ columns: PARTITIONED.columns, ...entity, name: 'parted' }),
    ]);
    const { applied } = await new AutoMigrator(dataSource, { execution: 'online' }).heal();
    expect(applied.map(({ action }) => action)).toEqual(['create index']);
  });
});
