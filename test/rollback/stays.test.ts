import { expect, test } from 'vitest';
import { createTestDatabase } from '../setup/database.js';
import { healedRun, hotel, lift, reasonsOf, release, sqlOf, table, TEXT } from './releases.js';

const INDEXES = `select indexname as name from pg_indexes where schemaname = 'public' order by 1`;
const index = (name: string, ...columns: string[]) => ({ indices: [{ name, columns }] });

test('a unique and an index of a column stay with it where a later run has changed it', async () => {
  const database = await hotel();
  const parts = { ...index('by_code', 'code'), uniques: [{ name: 'u', columns: ['code'] }] };
  const first = await release(database, [lift({ code: TEXT }, parts)]);
  const run = await healedRun(first);
  const later = await release(database, [lift({ code: { ...TEXT, comment: 'x' } }, parts)]);
  await healedRun(later);
  await later.rollback(run, 'ada'); // add column: "run 2 has changed it since; take that back first"
  expect(await database.query(INDEXES)).toEqual([{ name: 'by_code' }, { name: 'lift_pkey' }, { name: 'u' }]);
});

test('a unique of a column stays with it where PostgreSQL refuses, or what was built by hand keeps it', async () => {
  for (const byHand of [
    'create view v as select code from lift',
    'create index hand on lift (lower(code))',
  ]) {
    const database = await hotel();
    const migrator = await release(database, [
      lift({ code: TEXT }, { uniques: [{ name: 'u', columns: ['code'] }] }),
    ]);
    const run = await healedRun(migrator);
    await database.query(byHand);
    await migrator.rollback(run, 'ada');
    expect
      .soft(await database.query(`select from pg_constraint where conname = 'u'`), byHand)
      .toHaveLength(1);
  }
});

test('what was there on a partition is not taken along with what the run has made of the whole', async () => {
  const database = await createTestDatabase();
  await database.query(`create table door (id integer constraint door_pkey primary key);
    create table log (id integer not null, door integer, code text, constraint log_pkey primary key (id)) partition by range (id);
    create table log1 partition of log for values from (0) to (100);
    create index hand_index on log1 (code); alter table log1 add constraint hand_unique unique (id, door);
    alter table log1 add constraint hand_key foreign key (door) references door (id)`);
  const log = table(
    'log',
    {
      door: { type: 'integer', nullable: true, foreignKey: { target: 'door', name: 'log_door' } },
      code: TEXT,
    },
    { ...index('log_code', 'code'), uniques: [{ name: 'log_u', columns: ['id', 'door'] }] },
  );
  const migrator = await release(database, [table('door'), log]);
  const run = await healedRun(migrator);
  const report = await migrator.rollback(run, 'ada');
  expect(reasonsOf(report).map((reason) => reason.split(' would go', 1)[0])).toEqual([
    'hand_unique of log1',
    'hand_index of log1',
    'hand_key of log1',
  ]);
  const left = await database.query(`select relname as name from pg_class where relname like 'hand%'
    union all select conname from pg_constraint where conname = 'hand_key' order by 1`);
  expect(left).toEqual([{ name: 'hand_index' }, { name: 'hand_key' }, { name: 'hand_unique' }]);
});

test('an index and a check that somebody has made otherwise are asked for before their new table goes', async () => {
  const database = await hotel();
  const room = table(
    'room',
    { code: TEXT },
    { ...index('ix', 'code'), checks: [{ name: 'ck', expression: `code <> 'x'` }] },
  );
  const migrator = await release(database, [lift({}), room]);
  const run = await healedRun(migrator);
  await database.query(`drop index ix; create unique index ix on room (code, id) where id > 3;
    alter table room drop constraint ck; alter table room add constraint ck check (code > 'by hand')`);
  expect(sqlOf(await migrator.rollback(run, 'ada'))).toEqual([]);
});

test.each([
  [
    'a column',
    `alter table lift rename code to kept; update lift set kept = 'x'; alter table lift add code integer`,
    'code',
  ],
  ['the type of a column', 'alter table lift alter code type varchar(3)', 'code'],
  ['a value of an enum', `alter type state add value 'by hand'`, 'state'],
  [
    'a partitioned table',
    `drop table room; create table room (id integer not null constraint room_pkey primary key) partition by range (id);
      create table room1 partition of room for values from (0) to (9)`,
    'room',
  ],
])('%s that somebody has made under the name of one of the run stays', async (_title, byHand, name) => {
  const database = await hotel();
  const state = { type: 'enum', enum: ['up', 'down'], enumName: 'state', nullable: true } as const;
  const migrator = await release(database, [lift({ code: TEXT, state }), table('room')]);
  const run = await healedRun(migrator);
  await database.query(byHand);
  const report = await migrator.rollback(run, 'ada');
  expect(
    sqlOf(report).filter((sql) => sql.includes(`"${name}"`) && !sql.includes('DROP COLUMN "state"')),
  ).toEqual([]);
  expect(report.notUndone.map(({ object }) => object)).toEqual([
    expect.stringMatching(new RegExp(`\\.${name}$`)),
  ]);
});

test('an enum to which a later run has added a value goes', async () => {
  const database = await hotel();
  const state = { type: 'enum', enum: ['up', 'down'], enumName: 'state', nullable: true } as const;
  const first = await release(database, [lift({ state })]);
  const run = await healedRun(first);
  const next = await release(database, [lift({ state: { ...state, enum: ['up', 'down', 'out'] } })]);
  await healedRun(next);
  expect(await next.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', open: [], notUndone: [] });
});

test('an index that is the replica identity by now is asked for', async () => {
  const database = await hotel(`alter table lift add code text not null default gen_random_uuid()`);
  const code = { type: 'text', default: () => 'gen_random_uuid()' } as const;
  const migrator = await release(database, [
    lift({ code }, { indices: [{ name: 'u', columns: ['code'], unique: true }] }),
  ]);
  const run = await healedRun(migrator);
  await database.query(
    'alter table lift replica identity using index u; create publication p for table lift',
  );
  expect.soft(sqlOf(await migrator.rollback(run, 'ada'))).toEqual([]);
  await database.query('update lift set id = id + 100');
});
