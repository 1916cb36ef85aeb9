import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { CATALOG } from './catalog.js';

type Guest = ConstructorParameters<typeof EntitySchema>[0];

const id: EntitySchemaColumnOptions = {
  type: 'integer',
  primary: true,
  primaryKeyConstraintName: 'guest_pkey',
};
const age: EntitySchemaColumnOptions = { type: 'integer', nullable: true };
const email: EntitySchemaColumnOptions = { type: 'text', nullable: true };

const guest = (columns: Guest['columns'], more: Partial<Guest> = {}): EntitySchema =>
  new EntitySchema({ name: 'guest', columns, ...more });
const room = new EntitySchema({
  name: 'room',
  columns: { id: { ...id, primaryKeyConstraintName: 'room_pkey' } },
});

async function migratorOf({ url }: TestDatabase, ...entities: EntitySchema[]): Promise<AutoMigrator> {
  return new AutoMigrator(await openDataSource(url, entities), { execution: 'online' });
}

async function approveAll(migrator: AutoMigrator): Promise<void> {
  const { drift } = await migrator.check();
  await migrator.approve(
    drift.map((each) => each.id),
    'ada',
  );
}

interface KeptCase {
  readonly before: string;
  readonly entities: readonly EntitySchema[];
  /** What the application writes before the run is undone. */
  readonly meanwhile?: string;
  /** What another release asks for before the run is undone. */
  readonly later?: readonly EntitySchema[];
  readonly reason: RegExp;
}

const EMPTY = 'create table guest (id integer constraint guest_pkey primary key, age integer, email text)';

const CASES: Record<string, KeptCase> = {
  'an index that a unique has taken': {
    before: `${EMPTY}; create unique index by_hand on guest (email)`,
    entities: [guest({ id, age, email }, { uniques: [{ name: 'guest_email', columns: ['email'] }] })],
    reason: /has taken an index that was there/,
  },
  'a check that was replaced': {
    before: `${EMPTY}; alter table guest add constraint guest_age check (age > 0)`,
    entities: [guest({ id, age, email }, { checks: [{ name: 'guest_age', expression: 'age > 17' }] })],
    reason: /what it replaced is not known/,
  },
  'a foreign key that was replaced': {
    before: `create table room (id integer constraint room_pkey primary key);
      create table guest (id integer constraint guest_pkey primary key, age integer constraint guest_room references room)`,
    entities: [
      room,
      guest({ id, age: { ...age, foreignKey: { target: 'room', name: 'guest_room', onDelete: 'CASCADE' } } }),
    ],
    reason: /what it replaced is not known/,
  },
  'a primary key that was replaced': {
    before: `create table guest (id integer constraint guest_pkey primary key, age integer not null)`,
    entities: [guest({ id, age: { ...id } })],
    reason: /what it replaced is not known/,
  },
  'an index that was replaced': {
    before: `${EMPTY}; create index guest_email on guest (lower(email))`,
    entities: [guest({ id, age, email }, { indices: [{ name: 'guest_email', columns: ['email'] }] })],
    reason: /what it replaced is not known/,
  },
  'an index, a unique and a foreign key of columns that keep their values': {
    before: `create table room (id integer constraint room_pkey primary key); insert into room values (1);
      create table guest (id integer constraint guest_pkey primary key); insert into guest values (1)`,
    entities: [
      room,
      guest(
        { id, age: { ...age, foreignKey: { target: 'room', name: 'guest_room' } }, email },
        {
          indices: [{ name: 'guest_age', columns: ['age'] }],
          uniques: [{ name: 'guest_email', columns: ['email'] }],
        },
      ),
    ],
    meanwhile: `update guest set age = 1, email = 'a'`,
    reason: /is to be taken back before it, and stays open|would lose 1 value/,
  },
  'what a later run has changed again': {
    before: 'create table guest (id integer constraint guest_pkey primary key, email varchar(3))',
    entities: [guest({ id, email: { ...email, type: 'varchar', length: 10, default: 'one' } })],
    later: [guest({ id, email: { ...email, default: 'two' } })],
    reason: /run 2 has changed it since; take that back first/,
  },
};

describe('what cannot be taken back whole stays as the run has left it', () => {
  test.each(Object.entries(CASES))('%s', async (_title, { before, entities, meanwhile, later, reason }) => {
    const database = await createTestDatabase();
    await database.query(before);
    const migrator = await migratorOf(database, ...entities);
    await approveAll(migrator);
    const { runId, ...healed } = await migrator.heal();
    expect(healed).toMatchObject({ outcome: 'healed', failed: [] });
    if (meanwhile) await database.query(meanwhile);
    const latest = later ? await migratorOf(database, ...later) : migrator;
    expect((await latest.heal()).failed).toEqual([]);
    const catalog = await database.query(CATALOG);

    const report = await latest.rollback(runId ?? '', 'ada');
    expect(report).toMatchObject({ applied: [], failed: [] });
    const left = [...report.open, ...report.notUndone];
    expect(left).not.toEqual([]);
    for (const each of left) expect(each.reason).toMatch(reason);
    expect(await latest.heal()).toMatchObject({ applied: [], failed: [] });
    expect(await database.query(CATALOG)).toEqual(catalog);
  });
});

test('an index of a partition that a run has built before it was stopped is found, and taken back', async () => {
  const database = await createTestDatabase();
  await database.query(`create table guest (id integer not null, age integer) partition by range (id);
    create table guest_1 partition of guest for values from (1) to (9);
    insert into guest values (1, 36)`);
  const before = await database.query(CATALOG);
  const dataSource = await openDataSource(database.url, [guest({ id, age })]);
  const migrator = new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 });
  const stop = new AbortController();
  const { runId, applied } = await migrator.heal({
    signal: stop.signal,
    onApplied: ({ action }) => action === 'create index' && stop.abort(),
  });
  expect(applied.at(-1)?.sql).toMatch(
    /^CREATE UNIQUE INDEX CONCURRENTLY "guest_pkey_\w+" ON "public"."guest_1"/,
  );
  const report = await migrator.rollback(runId ?? '', 'ada');
  expect(report).toMatchObject({ outcome: 'undone', notUndone: [], open: [], failed: [] });
  expect(await database.query(CATALOG)).toEqual(before);
});

test('what was made for a column goes with it, once its loss is approved', async () => {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer constraint guest_pkey primary key)');
  await database.query('insert into guest values (1)');
  const before = await database.query(CATALOG);
  const migrator = await migratorOf(
    database,
    guest({ id, email }, { uniques: [{ name: 'guest_email', columns: ['email'] }] }),
  );
  const { runId } = await migrator.heal();
  await database.query(`update guest set email = 'a'`);
  const { open } = await migrator.rollback(runId ?? '', 'ada');
  await migrator.approve(
    open.flatMap(({ kind, hazards, id: drift }) =>
      kind === 'undo' && hazards.includes('data-loss') ? [drift] : [],
    ),
    'bob',
  );
  expect(await migrator.heal()).toMatchObject({ failed: [] });
  expect(await migrator.heal()).toMatchObject({ applied: [], failed: [] });
  expect(await database.query(CATALOG)).toEqual(before);
  expect((await migrator.check()).drift.filter(({ kind }) => kind === 'undo')).toEqual([]);
});

test("TypeORM's own table of notes stays", async () => {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer constraint guest_pkey primary key)');
  const view = new EntitySchema({
    name: 'guest_id',
    type: 'view',
    expression: 'select id from guest',
    columns: { id: { type: 'integer' } },
  });
  const migrator = await migratorOf(database, guest({ id }), view);
  const { runId } = await migrator.heal();
  expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({
    outcome: 'undone',
    applied: [{ action: 'undo create view' }],
    open: [],
    notUndone: [],
  });
  expect(await database.query('select name from typeorm_metadata')).toEqual([{ name: 'guest_id' }]);
  expect(await migrator.heal()).toMatchObject({ applied: [] });
});
