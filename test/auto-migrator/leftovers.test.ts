import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Execution } from '../../src/plan/proposal.js';
import { temporaryCheckName, temporaryIndexName } from '../../src/schema/temporary-names.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

const id = { type: 'integer', primary: true } as const;

const parent = new EntitySchema({ name: 'parent', columns: { id } });
const child = new EntitySchema<Record<string, unknown>>({
  name: 'child',
  columns: { id, name: { type: 'text' }, parent_id: { type: 'integer', nullable: true } },
  relations: {
    parent: {
      type: 'many-to-one',
      target: 'parent',
      joinColumn: { name: 'parent_id', foreignKeyConstraintName: 'child_parent' },
    },
  },
  indices: [{ name: 'child_name', columns: ['name'], unique: true }],
  checks: [{ name: 'child_id', expression: 'id > 0' }],
});

const TABLES = `
  create table parent (id integer primary key);
  create table child (id integer primary key, name text not null, parent_id integer);
  insert into parent values (1); insert into child values (1, 'a', 1), (2, 'b', null);`;
const FOREIGN_KEY = 'alter table child add constraint child_parent foreign key (parent_id) references parent';
const CHECK = 'alter table child add constraint child_id check (id > 0)';
const INDEX = 'create unique index child_name on child (name)';

const clients: pg.Client[] = [];
afterAll(() => Promise.all(clients.map((client) => client.end())));

/** Statements one by one, each in a transaction of its own. */
async function runEach(database: TestDatabase, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await database.query(sql);
}

async function migratorOf(database: TestDatabase, execution: Execution): Promise<AutoMigrator> {
  return new AutoMigrator(await openDataSource(database.url, [parent, child]), { execution });
}

/** What differs, whatever the primary keys are called. */
async function findings(migrator: AutoMigrator): Promise<[string, string, string][]> {
  const { drift, error } = await migrator.check();
  expect(error).toBeNull();
  return drift
    .filter(({ kind }) => kind !== 'named-differently')
    .map(({ kind, object, disposition }) => [kind, object, disposition]);
}

/** A concurrent build that was cancelled half-way, as a killed deployment leaves it. */
const carcass = `update pg_index set indisvalid = false where indexrelid = 'child_name'::regclass`;

const LEFTOVERS: { title: string; sql: string[]; found: [string, string, string][] }[] = [
  {
    title: 'an INVALID index is built anew',
    sql: [CHECK, FOREIGN_KEY, INDEX, carcass],
    found: [['invalid-index', 'public.child_name', 'heal']],
  },
  {
    title: 'a check that is NOT VALID is validated',
    sql: [INDEX, FOREIGN_KEY, `${CHECK} not valid`],
    found: [['unvalidated-constraint', 'public.child.child_id', 'heal']],
  },
  {
    title: 'a foreign key that is NOT VALID is validated',
    sql: [INDEX, CHECK, `${FOREIGN_KEY} not valid`],
    found: [['unvalidated-constraint', 'public.child.child_parent', 'heal']],
  },
  {
    title: 'all of them together',
    sql: [`${CHECK} not valid`, `${FOREIGN_KEY} not valid`, INDEX, carcass],
    found: [
      ['unvalidated-constraint', 'public.child.child_id', 'heal'],
      ['unvalidated-constraint', 'public.child.child_parent', 'heal'],
      ['invalid-index', 'public.child_name', 'heal'],
    ],
  },
];

describe.each<Execution>(['online', 'atomic'])(
  'what a run that died left behind, execution %s',
  (execution) => {
    test.each(LEFTOVERS)('$title', async ({ sql, found }) => {
      const database = await createTestDatabase();
      await runEach(database, [TABLES, ...sql]);
      const migrator = await migratorOf(database, execution);
      expect(await findings(migrator)).toEqual(found);
      expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
      expect(await findings(migrator)).toEqual([]);
      expect(
        await database.query(
          `select bool_and(i.indisvalid) and bool_and(o.convalidated) as valid, count(distinct i.indexrelid)::int as indexes,
           count(distinct o.oid)::int as constraints
         from pg_index i, pg_constraint o
         where i.indexrelid::regclass::text = 'child_name' and o.conname in ('child_id', 'child_parent')`,
        ),
      ).toEqual([{ valid: true, indexes: 1, constraints: 2 }]);
      await database.drop();
    });

    test('a temporary check of ours is reused or taken away, and NOT NULL set', async () => {
      const database = await createTestDatabase();
      await runEach(database, [
        TABLES,
        INDEX,
        CHECK,
        FOREIGN_KEY,
        'alter table child alter column name drop not null',
      ]);
      const migrator = await migratorOf(database, 'online');
      // As a run leaves it that dies after its first unit.
      const { plan } = await migrator.plan();
      const [first] = plan?.units.filter(({ phase }) => phase === 'not-null') ?? [];
      const statements = first?.steps.map(({ sql }) => sql) ?? [];
      expect(statements.join('; ')).toMatch(
        /ADD CONSTRAINT "auto_migration_not_null_\w+" CHECK .+ NOT VALID$/,
      );
      await runEach(database, statements);

      const successor = await migratorOf(database, execution);
      expect(await successor.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
      expect(await findings(successor)).toEqual([]);
      expect(
        await database.query(
          `select attnotnull as required from pg_attribute where attrelid = 'child'::regclass and attname = 'name'
         union all select null from pg_constraint where conname like 'auto_migration%'`,
        ),
      ).toEqual([{ required: true }]);
      await database.drop();
    });
  },
);

describe('what a temporary name of ours was left on', () => {
  const replaced = 'create index child_name on child (name desc)';
  const builds: { title: string; sql: (temporary: string) => string[] }[] = [
    {
      title: 'an index half-built',
      sql: (temporary) => [
        `create unique index ${temporary} on child (name)`,
        `update pg_index set indisvalid = false where indexrelid = '${temporary}'::regclass`,
      ],
    },
    {
      title: 'another index than is wanted now',
      sql: (temporary) => [`create index ${temporary} on child (id)`],
    },
  ];

  test.each(builds)('$title is taken away and the index replaced', async ({ sql }) => {
    const database = await createTestDatabase();
    await runEach(database, [TABLES, CHECK, FOREIGN_KEY, replaced]);
    await runEach(database, sql(temporaryIndexName('child_name')));
    const migrator = await migratorOf(database, 'online');
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    const indexes = await database.query<{ definition: string }>(
      `select pg_get_indexdef(indexrelid) as definition from pg_index where indrelid = 'child'::regclass and not indisprimary`,
    );
    expect(indexes).toEqual([
      { definition: 'CREATE UNIQUE INDEX child_name ON public.child USING btree (name)' },
    ]);
    await database.drop();
  });

  test('a check that the entities no longer need is taken away, so that NULLs are let in again', async () => {
    const database = await createTestDatabase();
    const name = temporaryCheckName('public.child.parent_id');
    await runEach(database, [
      TABLES,
      CHECK,
      FOREIGN_KEY,
      INDEX,
      `alter table child add constraint ${name} check (parent_id is not null) not valid`,
    ]);
    const migrator = await migratorOf(database, 'online');
    expect(await findings(migrator)).toEqual([['leftover-constraint', `public.child.${name}`, 'heal']]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    await database.query(`insert into child values (3, 'c', null)`);
    await database.drop();
  });

  test('a constraint of somebody else that is only named alike stays', async () => {
    const database = await createTestDatabase();
    const name = 'auto_migration_not_null_by_hand';
    await runEach(database, [
      TABLES,
      CHECK,
      FOREIGN_KEY,
      INDEX,
      `alter table child add constraint ${name} check (id < 99)`,
    ]);
    const migrator = await migratorOf(database, 'online');
    expect(await findings(migrator)).toEqual([['extra-constraint', `public.child.${name}`, 'extra']]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    await database.drop();
  });
});

describe('what stands in the way', () => {
  const VIOLATED: { title: string; sql: string[]; kind: string; object: string; reason: string }[] = [
    {
      title: 'duplicates under an INVALID unique index',
      sql: [
        CHECK,
        FOREIGN_KEY,
        INDEX,
        `update pg_index set indisready = false, indisvalid = false where indexrelid = 'child_name'::regclass`,
        `insert into child values (3, 'b', null)`,
      ],
      kind: 'invalid-index',
      object: 'public.child_name',
      reason: '1 value occurs more than once, in 2 rows: b; make them different, or the index not unique',
    },
    {
      title: 'rows that violate a check that is NOT VALID',
      sql: [INDEX, FOREIGN_KEY, `insert into child values (-1, 'c', null)`, `${CHECK} not valid`],
      kind: 'unvalidated-constraint',
      object: 'public.child.child_id',
      reason: 'violated by 1 row; mend them, or the check',
    },
    {
      title: 'rows that point to nothing',
      sql: [INDEX, CHECK, `insert into child values (3, 'c', 99)`, `${FOREIGN_KEY} not valid`],
      kind: 'unvalidated-constraint',
      object: 'public.child.child_parent',
      reason: 'violated by 1 row with nothing to point to; mend or delete them, or add what they point to',
    },
    {
      title: 'NULLs in a column that is to have none',
      sql: [
        INDEX,
        CHECK,
        FOREIGN_KEY,
        'alter table child alter column name drop not null',
        'insert into child values (3, null, null)',
      ],
      kind: 'different-nullability',
      object: 'public.child.name',
      reason: 'rows have NULL in it; fill them, declare @Backfill, or make the column nullable',
    },
  ];

  test.each(VIOLATED)(
    '$title: open, with the reason, and nothing is tried',
    async ({ sql, kind, object, reason }) => {
      const database = await createTestDatabase();
      await runEach(database, [TABLES, ...sql]);
      const migrator = await migratorOf(database, 'online');
      const report = await migrator.heal();
      expect(report).toMatchObject({ outcome: 'nothing-to-do', applied: [], failed: [], runId: null });
      expect(report.open).toMatchObject([
        { kind, object, reason, disposition: 'open', hazards: ['violated'] },
      ]);
      await database.drop();
    },
  );

  test('an index that somebody is building right now is left to him', async () => {
    const database = await createTestDatabase();
    await runEach(database, [TABLES, CHECK, FOREIGN_KEY]);
    const [builder, writer] = [1, 2].map(() => new pg.Client({ connectionString: database.url }));
    if (!builder || !writer) throw new Error('there are two');
    clients.push(builder, writer);
    await Promise.all([builder.connect(), writer.connect()]);
    // The build waits for whoever is writing to the table.
    await writer.query(`begin; insert into child values (3, 'c', null)`);
    const building = builder.query('create unique index concurrently child_name on child (name)');
    const migrator = await migratorOf(database, 'online');
    await vi.waitFor(
      async () => expect(await findings(migrator)).toEqual([['invalid-index', 'public.child_name', 'open']]),
      { timeout: 20_000 },
    );
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
    expect(report.open).toMatchObject([
      { reason: 'is being built right now by another session', hazards: ['in-progress'] },
    ]);
    await writer.query('commit');
    await building;
    expect(await findings(migrator)).toEqual([]);
  });
});
