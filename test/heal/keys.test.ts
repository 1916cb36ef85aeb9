import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { temporaryIndexName } from '../../src/schema/temporary-names.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

type Entity = Partial<EntitySchemaOptions<Record<string, unknown>>>;

interface KeyCase {
  readonly title: string;
  /** `$table` stands for the table's name. */
  readonly legacy: string;
  readonly entity: Entity;
  /** The key of the table that is looked at afterwards. */
  readonly key: string;
  readonly definition: string;
  /** What is done, in order. */
  readonly actions: string[];
  /** @default 0, so that every table with rows is large */
  readonly smallTableBytes?: number;
}

const id = { type: 'integer', primary: true } as const;
const code = { type: 'text', nullable: true } as const;
const unique: Entity = { columns: { id, code }, uniques: [{ name: '$table_code', columns: ['code'] }] };
const primary: Entity = { columns: { id: { ...id, primaryKeyConstraintName: '$table_pkey' } } };
const table = `create table $table (id integer primary key, code text);
  insert into $table select g, g from generate_series(1, 50) g;`;
const heap = `create table $table (id integer not null); insert into $table values (1), (2);`;
const temporary = temporaryIndexName('$table_code');
const plain = 'UNIQUE (code)';
const built = ['create index', 'add unique'];

const cases = [
  {
    title: 'a unique of a large table',
    legacy: table,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: built,
  },
  {
    title: 'a unique of a small table',
    legacy: table,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['add unique'],
    smallTableBytes: 2 ** 20,
  },
  {
    title: 'a unique that is deferrable',
    legacy: table,
    entity: {
      columns: { id, code },
      uniques: [{ name: '$table_code', columns: ['code'], deferrable: 'INITIALLY DEFERRED' as const }],
    },
    key: '$table_code',
    definition: `${plain} DEFERRABLE INITIALLY DEFERRED`,
    actions: built,
  },
  {
    title: 'a unique of columns whose names need quotes',
    legacy: `create table $table (id integer primary key, "Co,de" text, "a (b""c" text); insert into $table values (1)`,
    entity: {
      columns: { id, 'Co,de': code, 'a (b"c': code },
      uniques: [{ name: '$table_code', columns: ['Co,de', 'a (b"c'] }],
    },
    key: '$table_code',
    definition: 'UNIQUE ("Co,de", "a (b""c")',
    actions: built,
  },
  {
    title: 'a unique of a column that is new',
    legacy: 'create table $table (id integer primary key); insert into $table values (1), (2)',
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['add column', ...built],
  },
  {
    title: 'a unique whose index is there under another name',
    legacy: `${table} create unique index $table_by_hand on $table (code)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['add unique'],
  },
  {
    title: 'a unique whose index is there under its own name',
    legacy: `${table} create unique index $table_code on $table (code)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['add unique'],
    smallTableBytes: 2 ** 20,
  },
  {
    title: 'a unique whose index has another order',
    legacy: `${table} create unique index $table_by_hand on $table (code desc)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: built,
  },
  {
    title: 'a unique whose index has a predicate',
    legacy: `${table} create unique index $table_by_hand on $table (code) where id > 0`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: built,
  },
  {
    title: 'a unique whose index the entities want, too',
    legacy: `${table} create unique index $table_index on $table (code)`,
    entity: { ...unique, indices: [{ name: '$table_index', columns: ['code'], unique: true }] },
    key: '$table_code',
    definition: plain,
    actions: built,
  },
  {
    title: 'a unique that has other columns',
    legacy: `${table} alter table $table add constraint $table_code unique (code, id)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['create index', 'drop constraint', 'add unique'],
  },
  {
    title: 'a unique whose index a run that died has built',
    legacy: `${table} create unique index ${temporary} on $table (code)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['add unique'],
  },
  {
    title: 'a unique whose index a run that died has half-built',
    legacy: `${table} create unique index ${temporary} on $table (code);
      update pg_index set indisvalid = false, indisready = false where indexrelid = '${temporary}'::regclass`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['drop index', ...built],
  },
  {
    title: 'a unique for which a run that died has built another index',
    legacy: `${table} create index ${temporary} on $table (id)`,
    entity: unique,
    key: '$table_code',
    definition: plain,
    actions: ['drop index', ...built],
  },
  {
    title: 'a primary key',
    legacy: heap,
    entity: primary,
    key: '$table_pkey',
    definition: 'PRIMARY KEY (id)',
    actions: ['create index', 'add primary key'],
  },
  {
    title: 'a primary key of a column that may be NULL',
    legacy: heap.replace(' not null', ''),
    entity: primary,
    key: '$table_pkey',
    definition: 'PRIMARY KEY (id)',
    actions: [
      'create index',
      'drop the temporary check',
      'add a temporary check',
      'validate the temporary check',
      'set not null',
      'drop the temporary check',
      'add primary key',
    ],
  },
  {
    title: 'a primary key whose index is there',
    legacy: `${heap} create unique index $table_by_hand on $table (id)`,
    entity: primary,
    key: '$table_pkey',
    definition: 'PRIMARY KEY (id)',
    actions: ['add primary key'],
  },
].map((each, number) => inTable(each as KeyCase, `key_${number}`));

/** Puts the table's name in, and for a name of ours the one that follows from it. */
function inTable(each: KeyCase, name: string): KeyCase {
  const text = JSON.stringify(each)
    .replaceAll(temporary, temporaryIndexName(`${name}_code`))
    .replaceAll('$table', name);
  const read = JSON.parse(text) as KeyCase;
  return { ...read, entity: { ...read.entity, name } };
}

describe('keys come from an index that is built while others write', () => {
  let database: TestDatabase;
  const applied = new Map<string, string[]>();

  async function healAll(smallTableBytes: number): Promise<void> {
    const together = cases.filter((each) => (each.smallTableBytes ?? 0) === smallTableBytes);
    for (const { legacy } of together) await database.query(legacy);
    const entities = together.map(
      ({ entity }) => new EntitySchema(entity as EntitySchemaOptions<Record<string, unknown>>),
    );
    const dataSource = await openDataSource(database.url, entities);
    const migrator = new AutoMigrator(dataSource, { execution: 'online', smallTableBytes });
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    for (const { action, table: name } of report.applied)
      applied.set(name ?? '', [...(applied.get(name ?? '') ?? []), action]);
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const size of new Set(cases.map(({ smallTableBytes = 0 }) => smallTableBytes))) await healAll(size);
  });

  test.each(cases)('$title', async ({ entity, key, definition, actions }) => {
    expect(applied.get(`public.${entity.name}`)).toEqual(actions);
    const [found] = await database.query(
      `select pg_get_constraintdef(o.oid) as definition, i.relname as index, x.indisvalid as valid
       from pg_constraint o join pg_class i on i.oid = o.conindid join pg_index x on x.indexrelid = i.oid
       where o.conname = $1`,
      [key],
    );
    expect(found).toEqual({ definition, index: key, valid: true });
  });

  test('and nothing of ours is left', async () => {
    const left = `select indexrelid::regclass from pg_index
      where not indisvalid or indexrelid::regclass::text like 'auto_migration%'`;
    expect(await database.query(`${left} and indrelid::regclass::text like 'key%'`)).toEqual([]);
  });
});
