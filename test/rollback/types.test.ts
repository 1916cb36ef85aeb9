import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { CATALOG } from './catalog.js';
import { approveUndo, healedRun, hotel, lift, reasonsOf, release, sqlOf, TEXT } from './releases.js';

interface TypeCase {
  /** Of the column `code`, after its name. */
  readonly before: string;
  readonly rows: readonly unknown[];
  readonly wanted: EntitySchemaColumnOptions;
  /** What else is there before. */
  readonly around?: string;
  readonly view?: boolean;
}

const CASES: Record<string, TypeCase> = {
  'to a type that its default has no cast to': {
    before: `text not null default '7'`,
    rows: ['5', '7'],
    wanted: { type: 'integer', default: 7 },
  },
  'with another default': {
    before: `text not null default '7'`,
    rows: ['5', '7'],
    wanted: { type: 'integer', default: 8 },
  },
  'with no default any more': {
    before: `text default '7'`,
    rows: ['5', null],
    wanted: { type: 'integer', nullable: true },
  },
  'with a default that was not there': {
    before: 'text not null',
    rows: ['5'],
    wanted: { type: 'integer', default: 8 },
  },
  'widened, with the same default': {
    before: `varchar(20) not null default 'x'`,
    rows: ['a'],
    wanted: { type: 'varchar', length: 40, default: 'x' },
  },
  'widened, with another default': {
    before: `varchar(20) not null default 'x'`,
    rows: ['a'],
    wanted: { type: 'text', default: 'y' },
  },
  'widened, with a collation': {
    before: 'varchar(20) collate "C" not null',
    rows: ['a'],
    wanted: { type: 'varchar', length: 40, collation: 'C' },
  },
  'widened by a rewrite': {
    before: 'smallint not null default 3',
    rows: [1, 32767],
    wanted: { type: 'bigint', default: 3 },
  },
  'of a serial, with its sequence': {
    before: 'serial not null',
    rows: [1, 2],
    wanted: { type: 'bigint', generated: 'increment' },
  },
  'of an enum': {
    around: `create type mood as enum ('sad', 'glad')`,
    before: `mood not null default 'sad'`,
    rows: ['sad', 'glad'],
    wanted: { type: 'text', default: 'sad' },
  },
  'below a view': {
    before: `varchar(20) not null default 'x'`,
    rows: ['a'],
    wanted: { type: 'text', default: 'x' },
    view: true,
  },
};

const VIEW = 'select id, code from ticket';

describe('another type is taken back, with all that came with it', () => {
  test.each(Object.entries(CASES))('%s', async (_title, { before, rows, wanted, around, view }) => {
    const database = await createTestDatabase();
    await database.query(
      `${around ?? ''}; create table ticket (id integer constraint ticket_pkey primary key, code ${before})`,
    );
    if (view) await database.query(`create view ticket_code as ${VIEW}`);
    for (const [id, code] of rows.entries())
      await database.query('insert into ticket values ($1, $2)', [id, code]);
    const look = async (): Promise<object[][]> => [
      (await database.query(CATALOG)).filter((each) => !JSON.stringify(each).includes('typeorm_metadata')),
      await database.query('select * from ticket order by id'),
    ];
    const [catalog, values] = await look();
    const ticket = new EntitySchema({
      name: 'ticket',
      columns: {
        id: { type: 'integer', primary: true, primaryKeyConstraintName: 'ticket_pkey' },
        code: wanted,
      },
    });
    const code = new EntitySchema({
      name: 'ticket_code',
      type: 'view',
      expression: VIEW,
      columns: { id: { type: 'integer' }, code: { type: wanted.type } },
    });
    const dataSource = await openDataSource(database.url, view ? [ticket, code] : [ticket]);
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    const { drift } = await migrator.check();
    await migrator.approve(
      drift.map(({ id }) => id),
      'ada',
    );
    const healed = await migrator.heal();
    expect(healed).toMatchObject({ failed: [], open: [] });
    expect(healed.applied.map(({ action }) => action)).toContain('change type');

    const report = await migrator.rollback(healed.runId ?? '', 'ada');
    const left = [...report.open, ...report.notUndone].map(({ object }) => object);
    expect(report.failed).toEqual([]);
    // What TypeORM notes of views is another matter.
    expect(left.filter((object) => object.startsWith('public.ticket.'))).toEqual([]);
    expect(report.applied.map(({ action }) => action)).toContain('undo change type');
    expect(await look()).toEqual([catalog, values]);
    expect(await migrator.heal()).toMatchObject({ applied: [], failed: [] });
  });
});

test.each([
  ['set', `alter code set default 'mine'`, `'mine'::text`],
  ['dropped', 'alter code drop default', 'none'],
])('a default that somebody has %s since goes by an approval alone', async (_title, change, now) => {
  const database = await hotel(`alter table lift add code varchar(5) default 'x'`);
  const before = await database.query(CATALOG);
  const migrator = await release(database, [lift({ code: { ...TEXT, default: 'x' } })]);
  const run = await healedRun(migrator);
  await database.query(`alter table lift ${change}`);
  const report = await migrator.rollback(run, 'ada');
  expect(report).toMatchObject({ applied: [], failed: [] });
  expect(reasonsOf(report)).toEqual([
    `its default was changed since, and is ${now}; undoing it gives 'x'::character varying back; approve that, or let it be`,
  ]);
  const former = await release(database, [
    lift({ code: { ...TEXT, type: 'varchar', length: 5, default: 'x' } }),
  ]);
  await approveUndo(former);
  expect(await former.heal()).toMatchObject({ failed: [] });
  expect(await database.query(CATALOG)).toEqual(before);
});

test('an approval of a type is for the default that was there', async () => {
  const database = await hotel(`alter table lift add code varchar(5) default 'x'`);
  const migrator = await release(database, [lift({ code: { ...TEXT, default: 'x' } })]);
  const run = await healedRun(migrator);
  await database.query(`alter table lift alter code set default 'mine'`);
  await migrator.rollback(run, 'ada');
  // It wants what is set by hand: its own healing leaves that alone.
  const former = await release(database, [
    lift({ code: { ...TEXT, type: 'varchar', length: 5, default: 'yours' } }),
  ]);
  await approveUndo(former);
  await database.query(`alter table lift alter code set default 'yours'`);
  expect(sqlOf(await former.heal()).filter((sql) => sql.includes(' TYPE '))).toEqual([]);
  expect(reasonsOf({ open: (await former.check()).drift })).toContain(
    `its default was changed since, and is 'yours'::text; undoing it gives 'x'::character varying back; approve that, or let it be`,
  );
});
