import { EntitySchema } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createTestRole, dropRoleAfter } from '../setup/role.js';
import { openDataSource } from './open-data-source.js';

const id = { type: 'integer', primary: true } as const;

const ENTITIES = [
  new EntitySchema({
    name: 'room',
    columns: {
      id,
      floor: { type: 'integer', default: 1 },
      kind: { type: 'enum', enum: ['single', 'double'], enumName: 'room_kind' },
      state: { type: 'enum', enum: ['free', 'taken'], enumName: 'room_state', nullable: true },
    },
    indices: [{ name: 'room_floor', columns: ['floor'] }],
  }),
  new EntitySchema({ name: 'guest', columns: { id, name: { type: 'text', nullable: true } } }),
  new EntitySchema({ name: 'key', schema: 'desk', columns: { id } }),
  new EntitySchema<Record<string, unknown>>({
    name: 'stay',
    columns: { id, room_id: { type: 'integer', nullable: true } },
    relations: {
      room: {
        type: 'many-to-one',
        target: 'room',
        joinColumn: { name: 'room_id', foreignKeyConstraintName: 'stay_room' },
      },
    },
  }),
];

/** `room` and `stay` are the owner's; who may own `guest` differs. */
const LEGACY = `
  -- As it is since PostgreSQL 15.
  revoke create on schema public from public;
  create type room_kind as enum ('single');
  create table room (id integer primary key, kind room_kind not null);
  create table guest (id integer primary key);
  create table stay (id integer primary key, room_id integer);
  insert into room values (1, 'single'); insert into guest values (1);`;

interface Situation {
  readonly database: TestDatabase;
  readonly role: string;
  readonly migrator: AutoMigrator;
}

/** A database as `prepare` leaves it, looked at by a role that has what `grants` says. */
async function situation(
  prepare: string,
  grants: string,
  options: AutoMigratorOptions = {},
): Promise<Situation> {
  const database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await database.query(prepare);
  const { role, url } = await createTestRole(database);
  const sql = grants.replaceAll('$role', role).replaceAll('$database', name);
  if (sql) await database.query(sql);
  return { database, role, migrator: new AutoMigrator(await openDataSource(url, ENTITIES), options) };
}

/** Findings that are not healed, with why. */
async function openOnes(migrator: AutoMigrator): Promise<Record<string, string | null>> {
  const { drift, error } = await migrator.check();
  expect(error).toBeNull();
  const open = drift.filter(({ disposition }) => disposition === 'open');
  return Object.fromEntries(open.map(({ kind, object, reason }) => [`${kind} ${object}`, reason]));
}

describe('a role that owns nothing', () => {
  let database: TestDatabase;
  let migrator: AutoMigrator;

  beforeAll(async () => {
    ({ database, migrator } = await situation(LEGACY, ''));
  });

  test('sees what differs, and what each change needs', async () => {
    expect(await openOnes(migrator)).toEqual({
      'missing-schema desk': 'needs CREATE on the database',
      'missing-table desk.key': 'needs CREATE on the database',
      'different-enum public.room_kind': 'needs the rights of the owner of public.room_kind',
      'missing-enum public.room_state': 'needs CREATE on schema public',
      'missing-column public.guest.name': 'needs the rights of the owner of public.guest',
      'missing-column public.room.floor': 'needs the rights of the owner of public.room',
      'missing-column public.room.state': 'needs the rights of the owner of public.room',
      'missing-index public.room_floor':
        'needs the rights of the owner of public.room; needs CREATE on schema public',
      'missing-constraint public.stay.stay_room':
        'needs the rights of the owner of public.stay; needs REFERENCES on public.room',
    });
  });

  test('heals nothing, fails at nothing and leaves no journal', async () => {
    const report = await migrator.heal();
    expect(report).toMatchObject({
      outcome: 'nothing-to-do',
      applied: [],
      failed: [],
      runId: null,
      error: null,
    });
    expect(report.open).toHaveLength(9);
    expect(await database.query(`select to_regnamespace('auto_migration') as journal`)).toEqual([
      { journal: null },
    ]);
    expect(await migrator.history()).toEqual([]);
  });
});

test('the same verdict and hash for who may create schemas and for who may not', async () => {
  const { database, migrator } = await situation('create schema desk', '');
  const owner = new AutoMigrator(await openDataSource(database.url, ENTITIES));
  expect(await owner.heal()).toMatchObject({ outcome: 'healed' });
  const { desiredHash } = await owner.check();
  // The remembered schema would spare it the comparison by its own means.
  await database.query('drop schema auto_migration cascade');
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [], warnings: [], desiredHash });
});

test('a role that may create neither schema nor temporary table is told so', async () => {
  const { migrator, database } = await situation(
    LEGACY,
    'revoke temporary on database $database from public',
  );
  const check = await migrator.check();
  expect(check).toMatchObject({ verdict: 'unknown', drift: [], desiredHash: null });
  expect(check.error).toMatch(
    /^PostgreSQL cannot build what the entities ask for: permission denied to create temporary tables in database ".+"; the role needs CREATE or TEMPORARY on the database to compare\. Nothing was compared or changed\.$/,
  );
  expect(await migrator.heal()).toMatchObject({ outcome: 'failed', error: check.error, applied: [] });
  expect(await database.query(`select to_regnamespace('auto_migration') as journal`)).toEqual([
    { journal: null },
  ]);
});

describe('a role that owns one of the tables', () => {
  const owning = 'alter table guest owner to $role;';

  test('is told what the journal needs, and changes nothing without one', async () => {
    const { database, migrator } = await situation(LEGACY, owning);
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'failed', applied: [], failed: [] });
    expect(report.error).toMatch(
      /^Cannot make the journal in schema "auto_migration": permission denied for database .+ Nothing was changed\. The role needs CREATE on the database, or an existing schema of its own: option "journalSchema"\.$/,
    );
    const name = await database.query(
      `select from pg_attribute where attrelid = 'guest'::regclass and attname = 'name'`,
    );
    expect(name).toEqual([]);
  });

  const journals: [title: string, sql: string, options: AutoMigratorOptions][] = [
    ['CREATE on the database', 'grant create on database $database to $role', {}],
    ['a schema of its own', 'create schema ledger authorization $role', { journalSchema: 'ledger' }],
    [
      'a schema where it may create',
      'create schema ledger; grant usage, create on schema ledger to $role',
      { journalSchema: 'ledger' },
    ],
  ];

  test.each(journals)(
    'with %s for the journal heals that table and leaves the rest open',
    async (_, sql, options) => {
      const { database, migrator } = await situation(
        `${LEGACY}; create schema desk`,
        `${owning}; ${sql}`,
        options,
      );
      const report = await migrator.heal();
      expect(report).toMatchObject({ outcome: 'partly-healed', failed: [], error: null });
      expect(report.applied.map(({ object }) => object)).toEqual(['public.guest.name']);
      expect(report.open.map(({ disposition }) => disposition)).toEqual(report.open.map(() => 'open'));
      expect(await database.query('select id, name from guest')).toEqual([{ id: 1, name: null }]);
      expect(await migrator.history()).toMatchObject([{ outcome: 'partly-healed' }]);
      expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    },
  );
});

const lacks: [what: string, prepare: string, finding: string, reason: string][] = [
  [
    'CREATE on the schema of its table',
    'alter table room owner to $role; alter type room_kind owner to $role',
    'missing-index public.room_floor',
    'needs CREATE on schema public',
  ],
  [
    'REFERENCES on the table that it points to',
    'alter table stay owner to $role',
    'missing-constraint public.stay.stay_room',
    'needs REFERENCES on public.room',
  ],
];

test.each(lacks)('an owner that lacks %s is told so', async (_, prepare, finding, reason) => {
  const { migrator } = await situation(LEGACY, prepare);
  expect(await openOnes(migrator)).toMatchObject({ [finding]: reason });
});

test('a member of the owning role has its rights', async () => {
  const { role, migrator } = await situation(
    LEGACY,
    `create role $role_owner; grant $role_owner to $role; grant create on database $database to $role;
     alter table room owner to $role_owner; alter table guest owner to $role_owner; alter table stay owner to $role_owner;
     alter type room_kind owner to $role_owner; grant create on schema public to $role_owner`,
  );
  dropRoleAfter(`${role}_owner`);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
});

describe("a role without rights on another role's journal", () => {
  /** A healed database with one difference again. */
  async function healedByAnother(sql: string): Promise<Situation> {
    const { database, role, migrator } = await situation('create schema desk', '');
    const owner = new AutoMigrator(await openDataSource(database.url, ENTITIES));
    expect(await owner.heal()).toMatchObject({ outcome: 'healed' });
    await database.query(`alter table guest drop column name; ${sql.replaceAll('$role', role)}`);
    return { database, role, migrator };
  }

  test('sees what differs all the same, and is told that nothing is known of decisions', async () => {
    const { migrator } = await healedByAnother('');
    expect(await openOnes(migrator)).toEqual({
      'missing-column public.guest.name': 'needs the rights of the owner of public.guest',
    });
    expect((await migrator.check()).warnings).toEqual([
      'The journal in schema "auto_migration" was not read, so approvals, undos and other releases are not known: the role needs USAGE on that schema and SELECT on its tables, or a journal of its own: option "journalSchema"',
    ]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', failed: [], error: null });
    await expect(migrator.history()).rejects.toThrow(/^The journal in schema "auto_migration" was not read/);
  });

  const rights: [what: string, sql: string][] = [
    ['none', ''],
    [
      'reading',
      'grant usage on schema auto_migration to $role; grant select on all tables in schema auto_migration to $role',
    ],
  ];

  test.each(rights)('with %s changes nothing, not even what is its own', async (_, sql) => {
    const { database, migrator } = await healedByAnother(
      `alter table guest add leftover text; alter table guest owner to $role; ${sql}`,
    );
    const error =
      'Cannot write to the journal in schema "auto_migration": the role needs USAGE on that schema and SELECT, INSERT, UPDATE and DELETE on its tables, or a journal of its own: option "journalSchema". Nothing was changed.';
    expect(await migrator.heal()).toMatchObject({ outcome: 'failed', applied: [], failed: [], error });
    expect(await migrator.rollback('1', 'somebody')).toMatchObject({ outcome: 'failed', error });
    const leftover = (await migrator.check()).drift.find(({ kind }) => kind === 'extra-column');
    await expect(migrator.approve([leftover?.id ?? ''], 'somebody')).rejects.toThrow(error);
    const columns = `select string_agg(attname, ' ' order by attnum) as columns
      from pg_attribute where attrelid = 'guest'::regclass and attnum > 0 and not attisdropped`;
    expect(await database.query(columns)).toEqual([{ columns: 'id leftover' }]);
  });

  test('reads it where it may', async () => {
    const { migrator } = await healedByAnother(rights[1]?.[1] ?? '');
    expect(await migrator.check()).toMatchObject({ verdict: 'drift', warnings: [] });
    expect(await migrator.history()).toMatchObject([{ outcome: 'healed' }]);
  });
});
