import { EntitySchema, ViewColumn, ViewEntity } from 'typeorm';
import { expect, test } from 'vitest';
import { healedRun, hotel, lift, lifts, release, sqlOf, table, TEXT } from './releases.js';

test('what has the name of an undone type or column in a literal does not wait for it', async () => {
  const database = await hotel();
  const state = { type: 'enum', enum: ['up', 'down'], enumName: 'state', nullable: true } as const;
  const first = await release(database, [lift({ state, code: TEXT })]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [
    lift({ state, code: TEXT, unit: { ...TEXT, default: 'no code' } }),
    table('room', { owner: { ...TEXT, default: 'estates' } }),
  ]);
  const { open } = await next.heal();
  expect(
    open.filter(({ hazards }) => !hazards.includes('pinned')).map(({ object, reason }) => [object, reason]),
  ).toEqual([]);
});

test('a view over an undone view, and a fill that reads an undone column, wait', async () => {
  const database = await hotel();
  const view = (name: string, from: string) =>
    new EntitySchema({
      name,
      type: 'view',
      expression: `SELECT id FROM ${from}`,
      columns: { id: { type: 'integer' } },
    });
  const first = await release(database, [lift({ code: TEXT }), view('va', 'lift')]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(
    database,
    [lift({ code: TEXT, sign: TEXT }), view('va', 'lift'), view('vb', 'va')],
    {
      backfills: [{ table: 'lift', column: 'sign', expression: 'upper(code)' }],
    },
  );
  await next.heal();
  expect((await next.heal()).failed.map(({ object, error }) => `${object}: ${error}`)).toEqual([]);
});

test('no note is written of a view that waits', async () => {
  const database = await hotel();
  const first = await release(database, [lift({ code: TEXT })]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [
    lift({ code: TEXT }),
    lifts(`SELECT id, code FROM lift`, { id: { type: 'integer' }, code: { type: 'text' } }),
  ]);
  expect(sqlOf(await next.heal()).filter((sql) => sql.startsWith('INSERT'))).toEqual([]);
});

@ViewEntity({ name: 'shown', materialized: true, expression: 'SELECT id, state FROM lifts' })
class Shown {
  @ViewColumn()
  id!: number;

  @ViewColumn()
  state!: string;
}

test('what a view of the run reads waits for it, and is not tried', async () => {
  const database = await hotel();
  const state = { type: 'enum', enum: ['up', 'down'], enumName: 'state', nullable: true } as const;
  const columns = { id: { type: 'integer' }, state: { type: 'text' } } as const;
  const below = lifts('SELECT id, state FROM lift', columns);
  const migrator = await release(database, [lift({ state }), below, Shown]);
  const run = await healedRun(migrator);
  await database.query('create index by_hand on shown (id)');
  const report = await migrator.rollback(run, 'ada');
  expect(report).toMatchObject({ applied: [], failed: [] });
  const asked = report.open.filter(({ hazards }) => hazards.includes('undecided'));
  expect(asked).toMatchObject([{ object: 'public.shown' }]);
  await migrator.approve(
    asked.map(({ id }) => id),
    'bob',
  );
  const former = await release(database, [lift({})]);
  const undone = await former.heal();
  expect(undone.failed).toEqual([]);
  expect(sqlOf(undone)).toEqual([
    'DROP INDEX IF EXISTS "public"."by_hand"',
    'DROP MATERIALIZED VIEW "public"."shown"',
    'DROP VIEW "public"."lifts"',
    'ALTER TABLE "public"."lift" DROP COLUMN "state"',
    'DROP TYPE "public"."state"',
  ]);
});

test.each(['code', 'CODE', 'lift.Code'])('a fill that reads an undone column as %s waits', async (name) => {
  const database = await hotel();
  const first = await release(database, [lift({ code: TEXT })]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [lift({ code: TEXT, sign: TEXT })], {
    backfills: [{ table: 'lift', column: 'sign', expression: `upper(${name})` }],
  });
  const { failed, open } = await next.heal();
  expect(failed).toEqual([]);
  expect(open.map(({ reason }) => reason)).toContain('it builds on public.lift.code, which stays open');
});
