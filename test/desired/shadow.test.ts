import { randomUUID } from 'node:crypto';
import { DataSource, EntitySchema, type DataSourceOptions, type EntitySchemaOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

interface Thing {
  id: number;
}

const good = new EntitySchema<Thing>({ name: 'good', columns: { id: { type: 'integer', primary: true } } });

const bad = (options: Partial<EntitySchemaOptions<Thing & Record<string, unknown>>>): EntitySchema =>
  new EntitySchema<Thing & Record<string, unknown>>({
    name: 'bad',
    ...options,
    columns: { id: { type: 'integer', primary: true }, ...options.columns },
  });

async function withMigrator<Value>(
  database: TestDatabase,
  entities: EntitySchema[],
  task: (migrator: AutoMigrator) => Promise<Value>,
  options: Partial<Extract<DataSourceOptions, { type: 'postgres' }>> = {},
): Promise<Value> {
  const dataSource = new DataSource({ ...options, type: 'postgres', url: database.url, entities });
  await dataSource.initialize();
  try {
    return await task(new AutoMigrator(dataSource));
  } finally {
    await dataSource.destroy();
  }
}

describe('an entity that PostgreSQL refuses is one finding, and the others are looked at', () => {
  test.each([
    {
      title: 'a default of the wrong type',
      entity: bad({
        columns: {
          id: { type: 'integer', primary: true },
          size: { type: 'integer', default: () => `'large'` },
        },
      }),
      object: 'public.bad',
      reason: /invalid input syntax for type integer/,
    },
    {
      title: 'a check on a column that it does not have',
      entity: bad({ checks: [{ expression: 'nowhere > 0' }] }),
      object: 'public.bad',
      reason: /column "nowhere" does not exist/,
    },
    {
      title: 'a type that does not exist',
      entity: bad({ columns: { id: { type: 'integer', primary: true }, size: { type: 'citext' } } }),
      object: 'public.bad',
      reason: /type "citext" does not exist/,
    },
    {
      title: 'a default with an apostrophe, which TypeORM does not quote',
      entity: bad({
        columns: { id: { type: 'integer', primary: true }, label: { type: 'text', default: "it's" } },
      }),
      object: 'public.bad',
      reason: /syntax error/,
    },
    {
      title: 'a view of a table that does not exist',
      entity: new EntitySchema({
        name: 'bad',
        type: 'view',
        expression: 'select 1 as id from nowhere',
        columns: { id: { type: 'integer' } },
      }),
      object: 'public.bad',
      reason: /relation "nowhere" does not exist/,
      // Without it no view is looked at.
      grant: 'grant create on database',
    },
  ])('$title', async ({ entity, object, reason, grant }) => {
    const database = await createTestDatabase();
    // A role that may not install the extension that one of them needs.
    const role = `plain_${randomUUID().slice(0, 8)}`;
    await database.query(`create role ${role}; create schema mine authorization ${role}`);
    if (grant) await database.query(`${grant} ${new URL(database.url).pathname.slice(1)} to ${role}`);
    const extra = { options: `-c role=${role}` };
    const report = await withMigrator(database, [good, entity], (migrator) => migrator.check(), {
      installExtensions: false,
      extra,
    });
    await database.query(`drop owned by ${role}; drop role ${role}`);
    expect(report.drift.map(({ kind }) => kind)).toContain('missing-table');
    const refused = report.drift.filter(({ kind }) => kind === 'refused-entity');
    expect(refused).toEqual([
      expect.objectContaining({
        object,
        disposition: 'open',
        reason: expect.stringMatching(reason) as string,
      }),
    ]);
  });
});

describe('foreign keys that PostgreSQL would refuse', () => {
  test.each([
    {
      title: 'to a column that is not unique',
      unique: undefined,
      open: [
        'public.source.to_code: the entity cannot be made: it points to public.target (code), which is not unique; make it unique, or point to a key',
      ],
    },
    { title: 'to a unique column', unique: [{ columns: ['code'] }], open: [] },
  ])('$title', async ({ unique, open }) => {
    const database = await createTestDatabase();
    const target = new EntitySchema({
      name: 'target',
      columns: { id: { type: 'integer', primary: true }, code: { type: 'integer' } },
      ...(unique ? { uniques: unique } : {}),
    });
    const source = new EntitySchema<{ id: number; target: unknown }>({
      name: 'source',
      columns: { id: { type: 'integer', primary: true } },
      relations: {
        target: {
          type: 'many-to-one',
          target: 'target',
          joinColumn: { name: 'code', referencedColumnName: 'code', foreignKeyConstraintName: 'to_code' },
        },
      },
    });
    const report = await withMigrator(database, [source, target], (migrator) => migrator.heal());
    expect(report.failed).toEqual([]);
    expect(report.open.map(({ object, reason }) => `${object}: ${reason}`)).toEqual(open);
  });
});

describe('a missing extension', () => {
  const tagged = new EntitySchema({
    name: 'tagged',
    columns: { id: { type: 'integer', primary: true }, tag: { type: 'citext' } },
  });

  test('is installed where the role may, with the table that needs it', async () => {
    const database = await createTestDatabase();
    const report = await withMigrator(database, [tagged], (migrator) => migrator.heal(), {
      installExtensions: false,
    });
    expect(report).toMatchObject({ outcome: 'healed', open: [] });
    expect(report.applied[0]).toMatchObject({ object: 'citext', action: 'create extension' });
    const [extension] = await database.query(
      `select extnamespace::regnamespace::text as schema from pg_extension where extname = 'citext'`,
    );
    expect(extension).toEqual({ schema: 'public' });
  });

  test('that the server does not have stays open, with what to do', async () => {
    const database = await createTestDatabase();
    const report = await withMigrator(database, [good], (migrator) => migrator.heal(), {
      installExtensions: false,
      extensions: ['no_such_extension'],
    });
    expect(report.outcome).toBe('partly-healed');
    expect(report.open).toEqual([
      expect.objectContaining({
        kind: 'missing-extension',
        object: 'no_such_extension',
        reason: 'the server does not have it; install its package',
      }),
    ]);
  });
});

test('more tables than are built at a time, with enums that they share and views over them', async () => {
  const database = await createTestDatabase();
  const tables = Array.from({ length: 230 }, (_, i) => {
    const name = `table_${i}`;
    return new EntitySchema({
      name,
      columns: {
        id: { type: 'integer', primary: true },
        state: { type: 'enum', enum: ['new', 'old'], enumName: 'state', default: 'new' },
      },
    });
  });
  const view = new EntitySchema({
    name: 'first_and_last',
    type: 'view',
    expression: 'select table_0.id, table_229.state from table_0 join table_229 using (id)',
    columns: { id: { type: 'integer' }, state: { type: 'varchar' } },
  });
  await withMigrator(database, [...tables, view], async (migrator) => {
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
  });
});
