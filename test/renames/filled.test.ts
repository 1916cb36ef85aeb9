import { Column, Entity, EntitySchema, PrimaryColumn, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import type { FormerNames } from '../../src/desired/former-names.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Ignore } from '../../src/drift/ignore.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createTestRole } from '../setup/role.js';

/** A table with a column that is filled, by the names that a release has for them. */
interface Release {
  readonly table: string;
  readonly column: string;
  readonly renamedFrom?: FormerNames;
  readonly ignore?: Ignore;
}

const FIRST = { table: 'room', column: 'code' };
const COLUMN = { table: 'room', column: 'mark', renamedFrom: { columns: { 'room.mark': ['code'] } } };
const TABLE = { table: 'cell', column: 'code', renamedFrom: { tables: { cell: ['room'] } } };
const BOTH = {
  table: 'cell',
  column: 'mark',
  renamedFrom: { tables: { cell: ['room'] }, columns: { 'cell.mark': ['code'] } },
};

const LEGACY = `create table room (id integer constraint room_pkey primary key, name text);
  insert into room values (1, 'a'), (2, 'b')`;

async function migratorOf(
  { url }: TestDatabase,
  { table, column, renamedFrom, ignore = {} }: Release,
  execution: Execution,
  { isByDefault = false } = {},
): Promise<AutoMigrator> {
  const filled: EntitySchemaColumnOptions = isByDefault
    ? { type: 'uuid', default: () => 'gen_random_uuid()' }
    : { type: 'text', nullable: true };
  const entity = new EntitySchema<Record<string, unknown>>({
    name: table,
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' },
      name: { type: 'text', nullable: true },
      [column]: filled,
    },
  });
  const backfills = isByDefault ? [] : [{ table, column, expression: 'upper(name)' }];
  return new AutoMigrator(await openDataSource(url, [entity]), {
    execution,
    backfills,
    ignore,
    ...(renamedFrom && { renamedFrom }),
  });
}

interface Case {
  readonly title: string;
  /** Between the application's NULL and what comes last. */
  readonly byHand?: string;
  /** The releases that follow the first one. */
  readonly releases: readonly Release[];
}

const CASES: Case[] = [
  { title: 'a column is renamed', releases: [COLUMN] },
  { title: 'a table is renamed', releases: [TABLE] },
  { title: 'a table and its column are renamed', releases: [BOTH] },
  { title: 'a table and then its column are renamed', releases: [TABLE, BOTH] },
  {
    title: 'a column is renamed by hand',
    byHand: 'alter table room rename code to mark',
    releases: [COLUMN],
  },
  { title: 'a table is renamed by hand', byHand: 'alter table room rename to cell', releases: [TABLE, BOTH] },
  {
    title: 'the former names are forgotten afterwards',
    releases: [BOTH, { table: 'cell', column: 'mark' }],
  },
  {
    title: 'it is renamed by hand, and again by the next release',
    byHand: 'alter table room rename code to sign',
    releases: [
      { table: 'room', column: 'sign' },
      { table: 'room', column: 'mark', renamedFrom: { columns: { 'room.mark': ['sign'] } } },
    ],
  },
  {
    title: 'the former names are gone before it is renamed by hand',
    byHand: 'alter table room rename code to mark; alter table room rename to cell',
    releases: [{ table: 'cell', column: 'mark' }],
  },
  {
    title: 'the journal is of a version that knew names alone',
    byHand: 'alter table auto_migration.fill drop relation, drop attribute, drop numbered_in',
    releases: [COLUMN],
  },
  {
    title:
      'the database was restored from a dump into another cluster, where the same numbers are of other columns',
    byHand: `update auto_migration.fill set numbered_in = regexp_replace(numbered_in, '^[0-9]+/', '1/'), attribute = 1`,
    releases: [FIRST, COLUMN],
  },
  {
    title: 'a name goes back',
    releases: [COLUMN, { ...FIRST, renamedFrom: { columns: { 'room.code': ['mark'] } } }],
  },
];

const WITHOUT_NUMBERS = [
  {
    title: 'an older version',
    byHand: 'alter table auto_migration.fill drop relation, drop attribute, drop numbered_in',
  },
  {
    title: 'a restored database',
    byHand: `update auto_migration.fill set numbered_in = '1/1/1', attribute = 1`,
  },
];

/** What looks as if it had been filled, and was not. */
const NEVER_FILLED: { title: string; byHand: string; release: Release }[] = [
  {
    title: 'what was filled has made room for another column',
    byHand: 'alter table room drop code; alter table room add sign text',
    release: { ...FIRST, renamedFrom: { columns: { 'room.code': ['sign'] } } },
  },
  {
    title: 'a new column has the new name',
    byHand: 'alter table room drop code; alter table room add mark text',
    release: COLUMN,
  },
  {
    title: 'a new column has the same name',
    byHand: 'alter table room drop code; alter table room add code text',
    release: FIRST,
  },
  {
    title: 'another one of the former names was filled',
    byHand: 'alter table room drop code; alter table room add sign text',
    release: { table: 'room', column: 'mark', renamedFrom: { columns: { 'room.mark': ['sign', 'code'] } } },
  },
  {
    title: 'what was filled is there, and ignored',
    byHand: 'alter table room add mark text',
    release: { ...COLUMN, ignore: { columns: ['room.code'] } },
  },
  {
    title: 'the table is a copy',
    byHand: `create table cell (id integer primary key, name text, code text);
      insert into cell select id, name from room`,
    release: { ...TABLE, ignore: { tables: ['room'] } },
  },
];

describe.each<Execution>(['online', 'atomic'])('what was filled is not filled again, %s', (execution) => {
  test.each(CASES)('when $title', async ({ byHand = 'select', releases }) => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    await (await migratorOf(database, FIRST, execution)).heal();
    await database.query(`update room set code = null where id = 1; ${byHand}`);
    const actions: string[] = [];
    for (const release of releases) {
      await olderReleaseGoes(database);
      actions.push(...actionsOf(await (await migratorOf(database, release, execution)).heal()));
    }
    expect(actions.filter((action) => !action.startsWith('rename '))).toEqual([]);
    const last = releases.at(-1) ?? FIRST;
    const found = await database.query(`select "${last.column}" as code from "${last.table}" order by id`);
    expect(found).toEqual([{ code: null }, { code: 'B' }]);
    expect(await (await migratorOf(database, last, execution)).check()).toMatchObject({ drift: [] });
  });

  test('when a rename is undone', async () => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    const first = await migratorOf(database, FIRST, execution);
    await first.heal();
    await database.query('update room set code = null where id = 1');
    await olderReleaseGoes(database);
    const second = await migratorOf(database, BOTH, execution);
    const { runId } = await second.heal();
    expect(await second.rollback(runId ?? '', 'ada')).toMatchObject({ outcome: 'undone' });
    expect(await first.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    expect(await database.query('select code from room order by id')).toEqual([
      { code: null },
      { code: 'B' },
    ]);
  });

  test.each(NEVER_FILLED)('but it is where $title', async ({ byHand, release }) => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    await (await migratorOf(database, FIRST, execution)).heal();
    await database.query(byHand);
    await olderReleaseGoes(database);
    const migrator = await migratorOf(database, release, execution);
    await migrator.heal();
    const { column, table } = release;
    const found = await database.query(`select "${column}" as code from "${table}" order by id`);
    expect(found).toEqual([{ code: 'A' }, { code: 'B' }]);
    const { drift } = await migrator.check();
    expect(drift.filter(({ kind }) => kind === 'unfilled-column')).toEqual([]);
  });

  test.each(WITHOUT_NUMBERS)('and a boot in sync numbers the columns of $title', async ({ byHand }) => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    await (await migratorOf(database, FIRST, execution)).heal();
    await database.query(byHand);
    const migrator = await migratorOf(database, FIRST, execution);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    await database.query(`alter table room rename code to mark; update room set mark = null where id = 1`);
    const renamed = await migratorOf(database, COLUMN, execution);
    expect(await renamed.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    await database.query('alter table room drop mark; alter table room add mark text');
    expect(actionsOf(await renamed.heal())).toEqual(['fill']);
    expect(await database.query('select mark from room order by id')).toEqual([{ mark: 'A' }, { mark: 'B' }]);
  });

  test('nor where the former column was dropped because both were there', async () => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    await (await migratorOf(database, FIRST, execution)).heal();
    await database.query('alter table room add mark text');
    await olderReleaseGoes(database);
    const migrator = await migratorOf(database, COLUMN, execution);
    expect(actionsOf(await migrator.heal())).toEqual([]);
    const { drift } = await migrator.check();
    const extra = drift.filter(({ kind }) => kind === 'extra-column');
    await migrator.approve(
      extra.map(({ id }) => id),
      'ada',
    );
    await migrator.heal();
    await migrator.heal();
    expect(await database.query('select mark from room order by id')).toEqual([{ mark: 'A' }, { mark: 'B' }]);
    expect(await migrator.check()).toMatchObject({ drift: [] });
  });
});

test.each([COLUMN, TABLE, BOTH])(
  'a default that a row has refused goes on under new names: $table, $column',
  async (release) => {
    const database = await createTestDatabase();
    await database.query(LEGACY);
    await database.query(`create function refuse() returns trigger language plpgsql as
        $$ begin if old.id = 2 then raise 'not this one'; end if; return new; end $$;
      create trigger refuse before update on room for each row execute function refuse()`);
    const isByDefault = { isByDefault: true };
    const first = await migratorOf(database, FIRST, 'online', isByDefault);
    expect(await first.heal()).toMatchObject({ outcome: 'partly-healed' });
    const [filled] = await database.query('select code from room where id = 1');
    await database.query(`drop trigger refuse on room;
      update auto_migration.fill set finished_at = now() - interval '2 hours'`);
    await olderReleaseGoes(database);
    const second = await migratorOf(database, release, 'online', isByDefault);
    expect(await second.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    const found = await database.query(
      `select "${release.column}" as code from "${release.table}" order by id`,
    );
    expect(found).toEqual([filled, { code: expect.stringMatching(/-/) as string }]);
    expect(await second.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
  },
);

/** A rename would wait for it. */
async function olderReleaseGoes(database: TestDatabase): Promise<void> {
  await database.query(
    `update auto_migration.claim set last_seen_at = clock_timestamp() - interval '1 hour'`,
  );
}

abstract class Room {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'room_pkey' })
  id!: number;

  @Column('text', { nullable: true })
  name!: string | null;
}

@Entity('room')
class Counted extends Room {
  @Column({ type: 'integer', generated: 'identity', generatedIdentity: 'ALWAYS' })
  code!: number;
}

@Entity('room')
class Renamed extends Room {
  @Column({ type: 'integer', generated: 'identity', generatedIdentity: 'ALWAYS' })
  mark!: number;
}

test('an identity whose rows a trigger has refused becomes one under its new name', async () => {
  const database = await createTestDatabase();
  await database.query(`${LEGACY}; create function refuse() returns trigger language plpgsql as
      $$ begin if old.id = 2 then raise 'not this one'; end if; return new; end $$;
    create trigger refuse before update on room for each row execute function refuse()`);
  const releaseOf = async (room: new () => object, renamedFrom: FormerNames = {}) => {
    const dataSource = await openDataSource(database.url, [room]);
    return new AutoMigrator(dataSource, { execution: 'online', renamedFrom });
  };
  expect(await (await releaseOf(Counted)).heal()).toMatchObject({ outcome: 'partly-healed' });
  await database.query(`drop trigger refuse on room;
    update auto_migration.fill set finished_at = now() - interval '2 hours'`);
  await olderReleaseGoes(database);
  const migrator = await releaseOf(Renamed, { columns: { 'room.mark': ['code'] } });
  await migrator.heal();
  await migrator.heal();
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
  const sequences = `select relname as name from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace`;
  expect(await database.query(sequences)).toEqual([{ name: 'room_mark_seq' }]);
});

test('roles of which one may not ask for the identifier of the cluster know the same columns', async () => {
  const database = await createTestDatabase();
  const { role, url } = await createTestRole(database);
  await database.query(LEGACY);
  await (await migratorOf(database, FIRST, 'online')).heal();
  const all = ['tables', 'sequences'].map(
    (each) => `grant all on all ${each} in schema auto_migration, public to ${role}`,
  );
  await database.query(`revoke execute on function pg_control_system() from public; ${all.join('; ')};
    grant all on schema auto_migration, public to ${role}; alter table room owner to ${role}`);
  const poor = { ...database, url };
  expect(await (await migratorOf(poor, FIRST, 'online')).heal()).toMatchObject({ outcome: 'nothing-to-do' });
  await database.query('update room set code = null where id = 1; alter table room rename code to mark');
  expect(actionsOf(await (await migratorOf(poor, COLUMN, 'online')).heal())).toEqual([]);
  expect(actionsOf(await (await migratorOf(database, COLUMN, 'online')).heal())).toEqual([]);
  const [fill] = await database.query('select numbered_in from auto_migration.fill');
  expect(fill).toEqual({ numbered_in: expect.stringMatching(/^\d+\/\d+\/\d+$/) as string });
});

test('names that move up by one take with them what is known about fills', async () => {
  const database = await createTestDatabase();
  await database.query(`create table room (id integer constraint room_pkey primary key, a text, b text);
    insert into room values (1), (2)`);
  const releaseOf = async (one: string, other: string, renamedFrom: FormerNames = {}) => {
    const columns = Object.fromEntries(
      [one, other].map((name) => [name, { type: 'text', nullable: true }] as const),
    );
    const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' } as const;
    const room = new EntitySchema<Record<string, unknown>>({ name: 'room', columns: { id, ...columns } });
    const backfills = [
      { table: 'room', column: one, expression: `'one'` },
      { table: 'room', column: other, expression: `'other'` },
    ];
    const options = { execution: 'online', backfills, renamedFrom } as const;
    return new AutoMigrator(await openDataSource(database.url, [room]), options);
  };
  await (await releaseOf('a', 'b')).heal();
  await database.query('update room set a = null, b = null where id = 1; alter table room rename b to c');
  await olderReleaseGoes(database);
  const migrator = await releaseOf('b', 'c', { columns: { 'room.b': ['a'], 'room.c': ['b'] } });
  expect(actionsOf(await migrator.heal())).toEqual(['rename column']);
  expect(await database.query('select b, c from room order by id')).toEqual([
    { b: null, c: null },
    { b: 'one', c: 'other' },
  ]);
});

function actionsOf({ applied }: HealReport): string[] {
  return applied.map(({ action }) => action);
}
