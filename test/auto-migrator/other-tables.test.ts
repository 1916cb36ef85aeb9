import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'key' } as const;

async function found(database: TestDatabase, entities: EntitySchema[]): Promise<string[]> {
  const { drift, error } = await new AutoMigrator(await openDataSource(database.url, entities)).check();
  expect(error).toBeNull();
  return drift.map(({ kind, object, disposition }) => `${kind} ${object} ${disposition}`);
}

/** Another module's table, which this data source knows only to point to. */
const tenant = (schema: string): EntitySchema =>
  new EntitySchema({ name: 'tenant', schema, synchronize: false, columns: { id } });

const room = new EntitySchema<Record<string, unknown>>({
  name: 'room',
  columns: { id, tenant_id: { type: 'integer', nullable: true } },
  relations: {
    tenant: {
      type: 'many-to-one',
      target: 'tenant',
      joinColumn: { name: 'tenant_id', foreignKeyConstraintName: 'room_tenant' },
    },
  },
});

describe.each(['public', 'core'])(
  'an entity that points to a table of another module in schema %s',
  (schema) => {
    test('is made, with its foreign key, and the other table is left alone', async () => {
      const database = await createTestDatabase();
      await database.query(`create schema if not exists ${schema};
      create table ${schema}.tenant (id integer constraint tenant_key primary key, plan text not null); insert into ${schema}.tenant values (1, 'x')`);
      const entities = [tenant(schema), room];
      const migrator = new AutoMigrator(await openDataSource(database.url, entities));
      expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
      expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
      await database.query('insert into room values (1, 1)');
      await expect(database.query('insert into room values (2, 2)')).rejects.toThrow('room_tenant');
      expect(await database.query(`select * from ${schema}.tenant`)).toEqual([{ id: 1, plan: 'x' }]);
    });
  },
);

test('a partitioned table behind an entity is compared by its parent, and its partitions are its own', async () => {
  const database = await createTestDatabase();
  await database.query(`create table call (id integer not null, at date not null, note varchar(10), constraint call_key primary key (id, at)) partition by range (at);
    create table call_2025 partition of call for values from ('2025-01-01') to ('2026-01-01');
    create table call_other partition of call default; insert into call values (1, '2025-05-05', 'x'), (2, '2027-01-01', 'y')`);
  const primary = { primary: true, primaryKeyConstraintName: 'call_key' } as const;
  const call = new EntitySchema({
    name: 'call',
    columns: {
      id: { type: 'integer', ...primary },
      at: { type: 'date', ...primary },
      note: { type: 'varchar', length: 20, nullable: true },
      kind: { type: 'text', default: 'in' },
    },
    checks: [{ name: 'call_id', expression: '"id" > 0' }],
    indices: [{ name: 'call_note', columns: ['note'] }],
  });
  expect(await found(database, [call])).toEqual([
    'different-type public.call.note heal',
    'missing-column public.call.kind heal',
    'missing-constraint public.call.call_id heal',
    'missing-index public.call_note heal',
  ]);
  const migrator = new AutoMigrator(await openDataSource(database.url, [call]), { execution: 'online' });
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  expect(await found(database, [call])).toEqual([]);
  // A partition that comes or goes changes nothing, and neither does an index that only a partition has.
  await database.query(`alter table call detach partition call_2025; drop table call_2025; create index on call_other (kind);
    create table call_2028 partition of call for values from ('2028-01-01') to ('2029-01-01')`);
  expect(await found(database, [call])).toEqual([]);
});

test('a session sees its own temporary table first, and a look does not', async () => {
  const database = await createTestDatabase();
  const thing = new EntitySchema({ name: 'thing', columns: { id } });
  const dataSource = await openDataSource(database.url, [thing], { poolSize: 1 });
  await dataSource.synchronize();
  await dataSource.query('create temporary table thing (other text); create temporary sequence thing_id_seq');
  const migrator = new AutoMigrator(dataSource);
  for (let look = 0; look < 2; look++)
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
});

test('of two that mean the same the one with the expected name counts, and the other is extra', async () => {
  const database = await createTestDatabase();
  const entities = [
    new EntitySchema({
      name: 'thing',
      columns: { id, a: { type: 'text', nullable: true } },
      indices: [{ name: 'wanted', columns: ['a'] }],
      checks: [{ name: 'positive', expression: '"id" > 0' }],
    }),
  ];
  await (await openDataSource(database.url, entities)).synchronize();
  await database.query(
    'create index a_before on thing (a); alter table thing add constraint a_before check (id > 0)',
  );
  const names = ['extra-constraint public.thing.a_before extra', 'extra-index public.a_before extra'];
  expect(await found(database, entities)).toEqual(names);
  await database.query('drop index wanted; alter table thing drop constraint positive');
  expect(await found(database, entities)).toEqual([
    'named-differently public.thing.a_before accepted',
    'named-differently public.a_before accepted',
  ]);
  const aligned = new AutoMigrator(await openDataSource(database.url, entities), { names: 'align' });
  expect(await aligned.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  expect(await found(database, entities)).toEqual([]);
});
