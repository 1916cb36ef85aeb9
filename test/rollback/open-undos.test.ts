import { expect, test } from 'vitest';
import { approveUndo, healedRun, hotel, lift, reasonsOf, release, sqlOf, TEXT } from './releases.js';

test('an approval that counts something else by now is void', async () => {
  const database = await hotel();
  const migrator = await release(database, [lift({ stars: { type: 'integer', default: 3 } })]);
  const run = await healedRun(migrator);
  await database.query('insert into lift (id, stars) values (3, 5)');
  await migrator.rollback(run, 'ada'); // "would lose 1 value other than the default"
  await approveUndo(migrator);
  await database.query(`alter table lift alter stars set default 4;
    insert into lift (id) select generate_series(10, 99)`);
  expect(sqlOf(await migrator.heal())).toEqual([]);
  expect(reasonsOf(await migrator.heal())).toContainEqual(
    expect.stringMatching(
      /was for 1 value other than the default, and by now values are counted: it is void/,
    ),
  );
});

test('what changes the same does not end an undo before somebody can approve it', async () => {
  const database = await hotel('alter table lift add code varchar(5)');
  const migrator = await release(database, [lift({ code: TEXT })]);
  const run = await healedRun(migrator);
  await database.query(`alter table lift alter code set default 'q'; update lift set code = 'too long'`);
  const { open } = await migrator.rollback(run, 'ada'); // "... approve that, or let it be"
  await migrator.heal(); // a tick
  expect(
    await migrator.approve(
      open.map(({ id }) => id),
      'bob',
    ),
  ).toMatchObject({ refused: [] });
});

test('a rename waits for an approved undo of what it renames', async () => {
  const database = await hotel();
  const first = await release(database, [lift({ code: TEXT })]);
  const run = await healedRun(first);
  await database.query(`update lift set code = 'x'`);
  await first.rollback(run, 'ada');
  await approveUndo(first);
  const next = await release(database, [lift({ sign: TEXT })], {
    renamedFrom: { columns: { 'lift.sign': ['code'] } },
  });
  expect((await next.heal()).failed).toEqual([]);
});
