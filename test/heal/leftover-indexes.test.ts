import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { temporaryIndexName } from '../../src/schema/temporary-names.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

interface LeftoverCase {
  readonly title: string;
  /** `$table_code` is in the entity. */
  readonly sql: string;
  readonly name: string;
  readonly isInvalid?: boolean;
  readonly kind: 'leftover-index' | 'extra-index';
  readonly disposition: 'heal' | 'open' | 'extra';
}

const index = 'create index $table_code on $table (code)';
const ours = temporaryIndexName('gone');

const cases = [
  {
    title: 'a failed REINDEX beside its index',
    sql: `${index}; create index $table_code_ccnew on $table (code)`,
    name: '$table_code_ccnew',
    kind: 'leftover-index',
    disposition: 'heal',
  },
  {
    title: 'a second failed REINDEX',
    sql: `${index}; create index $table_code_ccnew1 on $table (code)`,
    name: '$table_code_ccnew1',
    kind: 'leftover-index',
    disposition: 'heal',
  },
  {
    title: 'a failed REINDEX of a primary key',
    sql: `${index}; create unique index $table_pkey_ccnew on $table (id)`,
    name: '$table_pkey_ccnew',
    kind: 'leftover-index',
    disposition: 'heal',
  },
  {
    title: 'a failed REINDEX of which no index is there',
    sql: `${index}; create index $table_id_ccnew on $table (id, code)`,
    name: '$table_id_ccnew',
    kind: 'leftover-index',
    disposition: 'open',
  },
  {
    title: 'the old version after a REINDEX that could not drop it',
    sql: `${index}; create index $table_code_ccold on $table (code)`,
    name: '$table_code_ccold',
    kind: 'leftover-index',
    disposition: 'open',
  },
  {
    title: 'a valid index that is only named alike',
    sql: `${index}; create index $table_code_ccnew on $table (id, code)`,
    name: '$table_code_ccnew',
    isInvalid: false,
    kind: 'extra-index',
    disposition: 'extra',
  },
  {
    title: 'an INVALID index of another name',
    sql: `${index}; create index $table_by_hand on $table (code)`,
    name: '$table_by_hand',
    kind: 'extra-index',
    disposition: 'extra',
  },
  {
    title: 'one of ours for what no entity wants any more',
    sql: `${index}; create index ${ours} on $table (id, code)`,
    name: ours,
    isInvalid: false,
    kind: 'leftover-index',
    disposition: 'heal',
  },
].map((each, number) => {
  const named = JSON.stringify({ isInvalid: true, ...each, table: `left_${number}` });
  const read: unknown = JSON.parse(named.replaceAll('$table', `left_${number}`));
  return read as LeftoverCase & { readonly table: string };
});

const entityOf = (table: string): EntitySchema =>
  new EntitySchema<Record<string, unknown>>({
    name: table,
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: `${table}_pkey` },
      code: { type: 'text', nullable: true },
    },
    indices: [{ name: `${table}_code`, columns: ['code'] }],
  });

const create = (table: string): string =>
  `create table ${table} (id integer constraint ${table}_pkey primary key, code text)`;

describe('indexes that somebody has left behind', () => {
  let database: TestDatabase;
  let before: CheckReport;
  let report: HealReport;
  let after: CheckReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const { table, sql, name, isInvalid } of cases) {
      await database.query(`${create(table)}; ${sql}`);
      if (isInvalid)
        await database.query('update pg_index set indisvalid = false where indexrelid = $1::regclass', [
          name,
        ]);
    }
    const dataSource = await openDataSource(
      database.url,
      cases.map(({ table }) => entityOf(table)),
    );
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    before = await migrator.check();
    report = await migrator.heal();
    after = await migrator.check();
  });

  test.each(cases)('$title: $disposition', ({ name, kind, disposition }) => {
    const found = before.drift.filter(({ object }) => object === `public.${name}`);
    expect(found.map((each) => [each.kind, each.disposition])).toEqual([[kind, disposition]]);
    const left = after.drift.filter(({ object }) => object === `public.${name}`);
    expect(left).toHaveLength(disposition === 'heal' ? 0 : 1);
  });

  test('are dropped concurrently, and nothing else is done', () => {
    expect(report).toMatchObject({ failed: [], error: null });
    const healed = cases.filter(({ disposition }) => disposition === 'heal');
    expect(report.applied.map(({ sql }) => sql).toSorted()).toEqual(
      healed.map(({ name }) => `DROP INDEX CONCURRENTLY IF EXISTS "public"."${name}"`).toSorted(),
    );
  });
});

describe('a REINDEX that is under way', () => {
  const clients: pg.Client[] = [];
  afterAll(() => Promise.all(clients.map((client) => client.end())));

  test('is left to whoever runs it', async () => {
    const database = await createTestDatabase();
    await database.query(`${create('busy')}; create index busy_code on busy (code)`);
    const [builder, writer] = [1, 2].map(() => new pg.Client({ connectionString: database.url }));
    if (!builder || !writer) throw new Error('there are two');
    clients.push(builder, writer);
    await Promise.all([builder.connect(), writer.connect()]);
    await writer.query(`begin; insert into busy values (1, 'a')`);
    const building = builder.query('reindex table concurrently busy');
    const migrator = new AutoMigrator(await openDataSource(database.url, [entityOf('busy')]), {
      execution: 'online',
    });
    const carcasses = async (): Promise<CheckReport['drift']> => {
      const { drift } = await migrator.check();
      return drift.filter(({ kind }) => kind === 'leftover-index');
    };
    await vi.waitFor(async () => expect(await carcasses()).toHaveLength(2), { timeout: 20_000 });
    for (const { disposition, hazards } of await carcasses())
      expect([disposition, hazards]).toEqual(['open', ['in-progress']]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
    await writer.query('commit');
    await building;
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
  });
});
