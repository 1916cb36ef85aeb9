import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Execution } from '../../src/plan/proposal.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createTestRole } from '../setup/role.js';
import { openDataSource } from './open-data-source.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' } as const;
const ROOM = `create table room (id integer constraint room_pkey primary key, code text);
  insert into room select i, 'A' || i from generate_series(1, 30) i;`;
/** Five of the thirty rows are to be seen. */
const HIDE = `alter table room enable row level security; alter table room force row level security;
  create policy tenant on room using (id > 25);`;

interface Situation {
  readonly database: TestDatabase;
  readonly role: string;
  readonly migrator: AutoMigrator;
}

interface Options {
  readonly execution?: Execution;
  /** Of the column `a`. */
  readonly backfill?: string;
  readonly others?: readonly EntitySchema[];
}

/** A healer that owns the table `room`, and is no superuser. */
async function situation(
  prepare: string,
  columns: Record<string, EntitySchemaColumnOptions>,
  { execution = 'online', backfill = '', others = [] }: Options = {},
): Promise<Situation> {
  const database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const { role, url } = await createTestRole(database);
  await database.query(`grant create on schema public to ${role}; grant create on database ${name} to ${role};
    ${prepare}; alter table room owner to ${role}`);
  const room = new EntitySchema<Record<string, unknown>>({ name: 'room', columns: { id, ...columns } });
  const backfills = backfill ? [{ table: 'room', column: 'a', expression: backfill }] : [];
  const dataSource = await openDataSource(url, [room, ...others]);
  return { database, role, migrator: new AutoMigrator(dataSource, { execution, backfills }) };
}

const code = { type: 'text', nullable: true } as const;

async function approveAll(migrator: AutoMigrator): ReturnType<AutoMigrator['approve']> {
  const { drift } = await migrator.check();
  return migrator.approve(
    drift.map((each) => each.id),
    'ada',
  );
}

describe('what is to be given up', () => {
  test('is not approved where it cannot be counted, and counted by who may', async () => {
    const { database, role, migrator } = await situation(ROOM + HIDE, {});
    expect(await approveAll(migrator)).toMatchObject({
      approved: [],
      refused: [
        {
          object: 'public.room.code',
          reason: `what it would cost could not be counted: row level security hides rows of public.room from this role; give it BYPASSRLS`,
        },
      ],
    });
    await database.query(`alter role ${role} bypassrls`);
    const { approved } = await approveAll(migrator);
    expect(approved.map(({ approval }) => approval.loss)).toEqual([[{ what: 'values', count: 30 }]]);
  });

  test('stays when it was approved before its rows were hidden', async () => {
    const { database, migrator } = await situation(ROOM, {});
    expect((await approveAll(migrator)).approved).toHaveLength(1);
    await database.query(HIDE);
    expect(await migrator.heal()).toMatchObject({ applied: [], failed: [{ action: 'drop column' }] });
    expect(await database.query('select count(code)::int from room')).toEqual([{ count: 30 }]);
  });

  test('is not undone: a column with values that nobody can see', async () => {
    const { database, migrator } = await situation(ROOM, { code, note: code });
    const { runId } = await migrator.heal();
    await database.query(`update room set note = 'precious' where id = 1; ${HIDE}`);
    expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({
      applied: [],
      open: [{ kind: 'undo' }],
    });
    expect(await database.query('select count(note)::int from room')).toEqual([{ count: 1 }]);
  });
});

describe.each<Execution>(['online', 'atomic'])('rows that cannot be filled, execution %s', (execution) => {
  test('stay open with the column, at each run, and are filled by who may', async () => {
    const { database, role, migrator } = await situation(
      ROOM + HIDE,
      { code, a: { type: 'text' } },
      { execution, backfill: `lower(code)` },
    );
    for (const outcome of ['partly-healed', 'nothing-to-do']) {
      const { open, ...report } = await migrator.heal();
      expect(report).toMatchObject({ outcome, failed: [] });
      expect(open.map(({ kind, hazards }) => [kind, hazards])).toEqual([
        ['unfilled-column', ['needs-privilege']],
        ['different-nullability', ['undecided']],
      ]);
      expect(open[0]?.reason).toMatch(
        /^row level security hides rows of public\.room from this role; give it BYPASSRLS/,
      );
    }
    expect(await database.query('select count(a)::int from room')).toEqual([{ count: 0 }]);
    await database.query(`alter role ${role} bypassrls`);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await database.query('select count(a)::int from room')).toEqual([{ count: 30 }]);
  });

  test('get a default of their own each with their column', async () => {
    const key = { type: 'uuid', default: () => 'gen_random_uuid()' } as const;
    const { database, migrator } = await situation(ROOM + HIDE, { code, key }, { execution });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await database.query('select count(distinct key)::int from room')).toEqual([{ count: 30 }]);
  });
});

test('NOT NULL is tried once somebody says so, as PostgreSQL itself sees all rows', async () => {
  const { migrator } = await situation(ROOM + HIDE, { code: { type: 'text' } });
  expect(await migrator.heal()).toMatchObject({
    outcome: 'nothing-to-do',
    open: [{ kind: 'different-nullability', hazards: ['undecided'] }],
  });
  expect((await approveAll(migrator)).approved).toHaveLength(1);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
});

test('a sequence that is behind is found beside one of a table whose rows are hidden', async () => {
  const serial = { type: 'integer', generated: 'increment' } as const;
  const hall = new EntitySchema({
    name: 'hall',
    columns: { id: { ...serial, primary: true, primaryKeyConstraintName: 'hall_pkey' } },
  });
  const { migrator } = await situation(
    `create table hall (id serial constraint hall_pkey primary key); grant all on hall, hall_id_seq to public;
      insert into hall values (7); ${ROOM} alter table room add n serial constraint room_n unique; ${HIDE}`,
    { code, n: { ...serial, unique: true } },
    { others: [hall] },
  );
  const { drift } = await migrator.check();
  expect(drift.filter(({ kind }) => kind === 'sequence-behind')).toMatchObject([
    { object: 'public.hall.id' },
  ]);
});
