import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const STATES = ['on', 'off'];

/** TypeORM has a type for each column: lamp_before_enum, lamp_after_enum, lamp_all_enum, fan_state_enum. */
const ENTITIES = [
  new EntitySchema({
    name: 'lamp',
    columns: {
      id: { type: 'integer', primary: true },
      before: { type: 'enum', enum: STATES, default: 'off' },
      after: { type: 'enum', enum: STATES, default: 'on' },
      all: { type: 'enum', enum: STATES, array: true, default: ['on'] },
    },
    indices: [{ name: 'lamp_on', columns: ['before'], where: `"before" = 'on'` }],
  }),
  new EntitySchema({
    name: 'fan',
    columns: {
      id: { type: 'integer', primary: true },
      state: { type: 'enum', enum: STATES, enumName: 'fan_state', default: 'off' },
    },
    checks: [{ name: 'fan_off', expression: `"state" <> 'on' OR "id" > 0` }],
  }),
];

async function look(sql: string) {
  const database = await createTestDatabase();
  await database.query(sql);
  const migrator = new AutoMigrator(await openDataSource(database.url, ENTITIES));
  const findings = async (): Promise<string[]> =>
    (await migrator.check()).drift.map(({ kind, object, disposition }) => `${kind} ${object} ${disposition}`);
  return { database, migrator, findings };
}

const FAN = `create table fan (id integer, state "State" not null default 'off', constraint "PK_f3c5bc6ad6a6ab6b8d0f0c6b2b5" primary key (id),
  constraint fan_off check (state <> 'on' or id > 0))`;

describe('one enum type where the entities have a type for each column', () => {
  const shared = `create type "State" as enum ('on', 'off');
    create table lamp (id integer primary key, before "State" not null default 'off', after "State" not null default 'off',
      "all" "State"[] not null default '{on}');
    create index lamp_on on lamp (before) where before = 'on'; ${FAN}`;

  test('is accepted, and what else differs is healed in its words', async () => {
    const { database, migrator, findings } = await look(shared);
    const accepted = ['before', 'after', 'all', 'fan'].map(() => 'named-differently public.State accepted');
    expect(
      (await findings()).filter((finding) => !finding.includes('PK_') && !finding.includes('pkey')),
    ).toEqual([...accepted, 'different-default public.lamp.after heal']);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    expect(await database.query(`select typname as name from pg_type where typtype = 'e'`)).toEqual([
      { name: 'State' },
    ]);
    await database.query('insert into lamp (id) values (1)');
    expect(await database.query('select before, after from lamp')).toEqual([{ before: 'off', after: 'on' }]);
  });

  test('a column that is missing gets the type that its entity names', async () => {
    const { database, migrator, findings } = await look(`${shared}; alter table lamp drop column after`);
    expect(await findings()).toEqual(
      expect.arrayContaining([
        'missing-enum public.lamp_after_enum heal',
        'missing-column public.lamp.after heal',
      ]),
    );
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    await database.query('insert into lamp (id) values (1)');
  });
});

test('an enum type with other values is another type, and the SQL that changes it runs', async () => {
  const { database, migrator, findings } = await look(
    `create type "State" as enum ('off', 'on'); ${FAN}; insert into fan values (1, 'on')`,
  );
  expect(await findings()).toEqual(
    expect.arrayContaining(['missing-enum public.fan_state heal', 'different-type public.fan.state open']),
  );
  expect(await migrator.heal()).toMatchObject({ outcome: 'partly-healed', failed: [] });
  const open = (await migrator.check()).drift.filter(({ disposition }) => disposition === 'open');
  expect(open.map(({ kind }) => kind)).toEqual(['different-type', 'different-constraint']);
  // The check is of the old type.
  await database.query('alter table fan drop constraint fan_off');
  for (const { sql } of open.filter(({ kind }) => kind === 'different-type'))
    for (const statement of sql) await database.query(statement);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
  expect(await database.query('select * from fan')).toEqual([{ id: 1, state: 'on' }]);
});
