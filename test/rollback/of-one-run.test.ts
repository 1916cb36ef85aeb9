import { expect, test } from 'vitest';
import { approveUndo, healedRun, hotel, lift, release, sqlOf, table, TEXT } from './releases.js';

const INT = { type: 'integer', nullable: true } as const;
const gen = (asExpression: string) =>
  ({ type: 'text', generatedType: 'STORED', asExpression, nullable: true }) as const;
test('an undone rename does not keep another column from being made where the former name is asked for', async () => {
  const database = await hotel(`alter table lift add code text; update lift set code = 'x'`);
  const first = await release(database, [lift({ sign: TEXT })], {
    renamedFrom: { columns: { 'lift.sign': ['code'] } },
  });
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [lift({ code: TEXT, sign: INT })]);
  expect(await next.heal()).toMatchObject({ outcome: 'healed', open: [] });
});

test('an undone rename does not keep another table from being made where the former name is asked for', async () => {
  const database = await hotel();
  const first = await release(database, [table('elevator')], {
    renamedFrom: { tables: { elevator: ['lift'] } },
  });
  await first.rollback(await healedRun(first), 'ada');
  expect(await (await release(database, [lift({}), table('elevator', { other: INT })])).heal()).toMatchObject(
    { outcome: 'healed', open: [] },
  );
});

test('a new table goes although what its key points to has another name by now', async () => {
  const database = await hotel();
  const key = (target: string) =>
    ({ type: 'integer', nullable: true, foreignKey: { target, name: 'room_lift' } }) as const;
  const first = await release(database, [lift({}), table('room', { lift: key('lift') })]);
  const run = await healedRun(first);
  const next = await release(database, [table('elevator'), table('room', { lift: key('elevator') })], {
    renamedFrom: { tables: { elevator: ['lift'] } },
  });
  await healedRun(next);
  expect(await next.rollback(run, 'ada')).toMatchObject({ outcome: 'undone', open: [] });
});

test('an index that somebody has made without its WHERE, and a key without its CASCADE, are asked for', async () => {
  const database = await hotel();
  const room = table(
    'room',
    {
      code: TEXT,
      lift: {
        type: 'integer',
        nullable: true,
        foreignKey: { target: 'lift', name: 'room_lift', onDelete: 'CASCADE' },
      },
    },
    { indices: [{ name: 'ix', columns: ['code'], where: 'id > 3' }] },
  );
  const migrator = await release(database, [lift({}), room]);
  const run = await healedRun(migrator);
  await database.query(`drop index ix; create index ix on room (code); alter table room drop constraint room_lift;
    alter table room add constraint room_lift foreign key (lift) references lift (id)`);
  expect(sqlOf(await migrator.rollback(run, 'ada'))).toEqual([]);
});

test('a type and a column generated from it, which one run has made, go together', async () => {
  const database = await hotel('alter table lift add code varchar(20); truncate lift');
  const migrator = await release(database, [lift({ code: TEXT, loud: gen('upper(code)') })]);
  expect(await migrator.rollback(await healedRun(migrator), 'ada')).toMatchObject({
    outcome: 'undone',
    applied: [{ object: 'public.lift.loud' }, { object: 'public.lift.code' }],
    open: [],
    notUndone: [],
  });
});

test('an index of somebody over two columns goes with the first of both, which are approved', async () => {
  const database = await hotel();
  const migrator = await release(database, [lift({ code: TEXT, n: INT })]);
  const run = await healedRun(migrator);
  await database.query('create index hand on lift (code, n)');
  await migrator.rollback(run, 'ada');
  await approveUndo(migrator);
  expect((await migrator.heal()).failed).toEqual([]);
});
