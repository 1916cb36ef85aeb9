import pg from 'pg';
import { expect, test } from 'vitest';
import { closeAfter } from '../setup/open-resources.js';
import { approveUndo, healedRun, hotel, lift, release, sqlOf, table, TEXT } from './releases.js';

const to = (target: string) => ({ type: 'integer', nullable: true, foreignKey: { target } }) as const;

test('a table whose undo waits for another one is healed', async () => {
  const database = await hotel();
  const entities = (columns: object) => [lift({}), table('a', { ...columns }), table('b', { a: to('a') })];
  const first = await release(database, entities({}));
  const run = await healedRun(first);
  await database.query('insert into b values (1)');
  expect(await first.rollback(run, 'ada')).toMatchObject({ open: [{}, {}] });
  const next = await release(database, entities({ note: TEXT }));
  expect(sqlOf(await next.heal())).toEqual(['ALTER TABLE "public"."a" ADD COLUMN "note" text']);
});

test('an undo that gets no lock keeps nothing else of its table from being healed', async () => {
  const database = await hotel();
  const migrator = await release(database, [lift({ code: TEXT })]);
  const run = await healedRun(migrator);
  await database.query(`update lift set code = 'x'`);
  await migrator.rollback(run, 'ada');
  await approveUndo(migrator);
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  closeAfter('test', () => reader.end());
  await reader.query('begin; lock table lift in access share mode');
  const indexed = lift({ code: TEXT }, { indices: [{ name: 'by_id', columns: ['id'], where: 'id > 1' }] });
  const next = await release(database, [indexed], { lockTimeoutMs: 50 });
  const { failed, applied } = await next.heal();
  expect(failed).toMatchObject([{ action: 'undo add column' }]);
  expect(applied).toMatchObject([{ action: 'create index', object: 'public.by_id' }]);
});

test('what would point to a table that is being taken back is made without that, and its key stays open', async () => {
  const database = await hotel();
  const first = await release(database, [lift({}), table('room')]);
  const run = await healedRun(first);
  await database.query('insert into room values (1)');
  await first.rollback(run, 'ada');
  await approveUndo(first);
  const next = await release(database, [lift({}), table('room'), table('door', { room: to('room') })]);
  const report = await next.heal();
  expect(report).toMatchObject({ failed: [] });
  expect(report.applied.map(({ action }) => action)).toEqual(['undo create table', 'create table']);
  expect(report.open.map(({ object, hazards }) => [object, hazards])).toEqual([
    [expect.stringMatching(/^public\.door\./), ['waits']],
    ['public.room', ['pinned']],
  ]);
});
