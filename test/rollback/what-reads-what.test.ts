import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { expect, test } from 'vitest';
import { healedRun, hotel, lift, lifts, release, sqlOf, table, TEXT } from './releases.js';

const V20 = { type: 'character varying', length: 20, nullable: true } as const;
const INT = { type: 'integer', nullable: true } as const;
const gen = (asExpression: string) =>
  ({ type: 'text', generatedType: 'STORED', asExpression, nullable: true }) as const;
const where = (found: readonly { object: string; hazards: readonly string[]; reason: string | null }[]) =>
  found
    .filter(({ hazards }) => !hazards.includes('pinned'))
    .map(({ object, reason }) => `${object}: ${reason}`);

test.each(['online', 'atomic'] as const)(
  'a view over a widened column gets a new generated one, %s',
  async (execution) => {
    const id = { type: 'integer' } as const;
    const database = await hotel('alter table lift add code varchar(20), add name text');
    const first = await release(
      database,
      [lift({ code: V20, name: TEXT }), lifts('SELECT id, code FROM lift', { id, code: { type: 'text' } })],
      { execution },
    );
    await healedRun(first);
    const next = await release(
      database,
      [
        lift({ code: TEXT, name: TEXT, loud: gen('upper(name)') }),
        lifts('SELECT id, code, loud FROM lift', { id, code: { type: 'text' }, loud: { type: 'text' } }),
      ],
      { execution },
    );
    expect(await next.heal()).toMatchObject({ outcome: 'healed', failed: [] });
  },
);

test('a NOT NULL does not try itself at each tick while its fill waits', async () => {
  const database = await hotel();
  const first = await release(database, [lift({ code: TEXT })]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [lift({ code: TEXT, sign: { type: 'text' } })], {
    backfills: [{ table: 'lift', column: 'sign', expression: `coalesce(code, 'none')` }],
  });
  await next.heal();
  expect(sqlOf(await next.heal())).toEqual([]);
});

test('a fill that reads no undone column is done', async () => {
  const database = await hotel(
    `create table room (id integer constraint room_pkey primary key, code text); insert into room values (1, 'a'), (2, 'b')`,
  );
  const room = table('room', { code: TEXT });
  const before = { code: TEXT, date: { type: 'date', nullable: true } } as const;
  const first = await release(database, [lift(before), room]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(
    database,
    [lift({ ...before, sign: TEXT, at: { type: 'timestamptz', nullable: true } }), room],
    {
      backfills: [
        { table: 'lift', column: 'sign', expression: '(select room.code from room where room.id = lift.id)' },
        { table: 'lift', column: 'at', expression: `date '2020-01-01'` },
      ],
    },
  );
  expect(where((await next.heal()).open)).toEqual([]);
});

test('checks and indexes that do not read a column do not stay with it', async () => {
  const database = await hotel('alter table lift add since date, add code varchar(20)');
  const columns = {
    since: { type: 'date', nullable: true },
    code: V20,
    date: { type: 'date', nullable: true },
    length: INT,
  } as const;
  const migrator = await release(database, [
    lift(columns, {
      checks: [
        { name: 'ck', expression: `since > '2020-01-01'` },
        { name: 'ck2', expression: 'length(code) > 3' },
      ],
      indices: [{ name: 'ix', columns: ['code'], where: 'length(code) > 3' }],
    }),
  ]);
  const run = await healedRun(migrator);
  await database.query(`update lift set date = '2026-01-01', length = 3`);
  expect(sqlOf(await migrator.rollback(run, 'ada'))).toHaveLength(3);
});

test.each(['online', 'atomic'] as const)(
  'an exclusion whose expression reads an undone column waits, %s',
  async (execution) => {
    const database = await hotel();
    const first = await release(database, [lift({ n: INT })], { execution });
    await first.rollback(await healedRun(first), 'ada');
    const next = await release(
      database,
      [
        lift(
          { n: INT, other: TEXT },
          { exclusions: [{ name: 'x', expression: 'USING gist (int4range(n, n + 1) WITH &&)' }] },
        ),
      ],
      { execution },
    );
    expect((await next.heal()).failed).toEqual([]);
  },
);

test('a new column does not wait for one that is called as its type', async () => {
  const database = await hotel(
    'alter table lift add uuid varchar(40); update lift set uuid = gen_random_uuid()',
  );
  const uuid = { type: 'uuid', nullable: true } as const;
  expect(
    (await (await release(database, [lift({ uuid, owner: uuid })])).heal()).open.map(({ object }) => object),
  ).toEqual(['public.lift.uuid']);
});

test('what has a column called as an open enum does not wait', async () => {
  const database = await hotel(
    'create table room (id integer constraint room_pkey primary key, status text)',
  );
  const s = { type: 'enum', enum: ['up', 'down'], enumName: 'status', nullable: true } as const;
  const first = await release(database, [lift({ s }), table('room', { status: TEXT })]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [
    lift({ s }),
    table('room', { status: TEXT }, { indices: [{ name: 'by_status', columns: ['status'] }] }),
  ]);
  expect(where((await next.heal()).open)).toEqual([]);
});

test('a view with an alias called as an open view does not wait', async () => {
  const database = await hotel('alter table lift add code text');
  const view = (name: string, expression: string, columns: Record<string, EntitySchemaColumnOptions>) =>
    new EntitySchema({ name, type: 'view', expression, columns });
  const id = { type: 'integer' } as const;
  const names = view('names', 'SELECT id FROM lift', { id });
  const first = await release(database, [lift({ code: TEXT }), names]);
  await first.rollback(await healedRun(first), 'ada');
  const next = await release(database, [
    lift({ code: TEXT }),
    names,
    view('vv', 'SELECT id, code AS names FROM lift', { id, names: { type: 'text' } }),
  ]);
  expect(where((await next.heal()).open)).toEqual([]);
});

test('no note is written of a generated column that stays open', async () => {
  const database = await hotel('alter table lift add code text');
  const migrator = await release(database, [lift({ code: TEXT, loud: gen('upper(code)') })], {
    smallTableBytes: 0,
  });
  expect(sqlOf(await migrator.heal()).filter((sql) => sql.startsWith('INSERT'))).toEqual([]);
});
