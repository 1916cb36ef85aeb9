import { expect, test } from 'vitest';
import { approveUndo, healedRun, hotel, lift, release, sqlOf, table, TEXT } from './releases.js';

const V20 = { type: 'character varying', length: 20, nullable: true } as const;
const index = (name: string, ...columns: string[]) => ({ indices: [{ name, columns }] });

test.each([
  ['an index of another table that bears the name of an undone one is healed', 'other', ['code'], 'code'],
  [
    'a pin does not end where another table gets an index of that name',
    'lift_code',
    ['code', 'id'],
    'code, id',
  ],
])('%s, and the undone one is not', async (_title, name, columns, printed) => {
  const database = await hotel(`alter table lift add code text;
    create table room (id integer constraint room_pkey primary key, code text)`);
  const first = await release(database, [
    lift({ code: TEXT }, index('by_code', 'code')),
    table('room', { code: TEXT }),
  ]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [
    lift({ code: TEXT }, index(name, 'code')),
    table('room', { code: TEXT }, index('by_code', ...columns)),
  ]);
  expect(sqlOf(await next.heal())).toEqual([
    `CREATE INDEX CONCURRENTLY "by_code" ON "public"."room" USING btree (${printed})`,
  ]);
});

test('a check, an index and a default stay undone when the type of their column changes', async () => {
  const database = await hotel('alter table lift add code varchar(20), add name varchar(20)');
  const parts = {
    checks: [{ name: 'ck', expression: `code <> 'x'` }],
    indices: [{ name: 'ix', columns: ['code'], where: `code <> 'y'` }],
  };
  const first = await release(database, [lift({ code: V20, name: { ...V20, default: 'a' } }, parts)]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [lift({ code: TEXT, name: { ...TEXT, default: 'a' } }, parts)]);
  expect(sqlOf(await next.heal()).filter((sql) => !sql.includes(' TYPE '))).toEqual([]);
});

test('a pin ends where the same run has undone it and done what is asked for instead', async () => {
  const database = await hotel('alter table lift add code varchar(5)');
  const first = await release(database, [lift({ code: TEXT })]);
  const run = await healedRun(first);
  await database.query(`update lift set code = 'long long'`);
  await first.rollback(run, 'ada');
  const other = await release(database, [lift({ code: { ...V20, length: 10 } })]);
  await approveUndo(other);
  await other.heal(); // undoes it to varchar(5), and heals varchar(10)
  expect(await (await release(database, [lift({ code: TEXT })])).heal()).toMatchObject({
    outcome: 'healed',
    open: [],
  });
});

test('an undone rename is not done as a new table and column once its former name is not told any more', async () => {
  const database = await hotel(`alter table lift add code text; update lift set code = 'x'`);
  const first = await release(database, [table('elevator', { sign: TEXT })], {
    renamedFrom: { tables: { elevator: ['lift'] }, columns: { 'elevator.sign': ['code'] } },
  });
  await first.rollback(await healedRun(first), 'ada');
  expect(sqlOf(await (await release(database, [table('elevator', { sign: TEXT })])).heal())).toEqual([]);
});
