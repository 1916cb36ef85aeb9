import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const thing = new EntitySchema({
  name: 'thing',
  columns: { id: { type: 'integer', primary: true }, label: { type: 'varchar', default: 'none' } },
});

let database: TestDatabase;
const dataSources: DataSource[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`create schema count; create sequence count.shadows;
    create function count.shadow() returns event_trigger language plpgsql security definer as $$
      begin perform nextval('count.shadows'); end $$;
    create event trigger shadow on ddl_command_start when tag in ('CREATE SCHEMA')
      execute function count.shadow()`);
});

afterAll(() => Promise.all(dataSources.map((dataSource) => dataSource.destroy())));

/** As after a new start of the application: nothing is left in memory. */
async function newMigrator(): Promise<AutoMigrator> {
  const dataSource = new DataSource({ type: 'postgres', url: database.url, entities: [thing] });
  dataSources.push(await dataSource.initialize());
  return new AutoMigrator(dataSource);
}

/** A shadow is rolled back, but the numbers of a sequence that were taken while it was built are gone for good. */
async function shadowsBuilt(task: () => Promise<unknown>): Promise<number> {
  const next = async (): Promise<number> => {
    const [row] = await database.query<{ next: number }>(`select nextval('count.shadows')::int as next`);
    return row?.next ?? 0;
  };
  const before = await next();
  await task();
  return (await next()) - before - 1;
}

describe('the desired schema', () => {
  test('is built by the first start and remembered for the next ones', async () => {
    const first = await newMigrator();
    expect(await shadowsBuilt(() => first.check())).toBe(1);
    expect(await first.heal()).toMatchObject({ outcome: 'healed', warnings: [] });
    const second = await newMigrator();
    let report: unknown;
    expect(await shadowsBuilt(async () => (report = await second.check()))).toBe(0);
    expect(report).toMatchObject({ verdict: 'in-sync', warnings: [] });
  });

  test('is remembered by a heal that finds nothing to do, too', async () => {
    await database.query('drop schema auto_migration cascade');
    expect(await (await newMigrator()).heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null });
    const next = await newMigrator();
    expect(await shadowsBuilt(() => next.check())).toBe(0);
  });

  test.each([
    {
      title: 'tampered with',
      sql: `update auto_migration.desired set content = replace(content, 'label', 'lable')`,
    },
    { title: 'cut short', sql: `delete from auto_migration.desired where part > 0` },
    { title: 'no JSON', sql: `update auto_migration.desired set content = '{'` },
  ])('is built anew, with a warning, when what is remembered is $title', async ({ sql }) => {
    await (await newMigrator()).heal();
    await database.query(sql);
    const report = await (await newMigrator()).heal();
    expect(report).toMatchObject({ outcome: 'nothing-to-do', open: [] });
    expect(report.warnings).toEqual([expect.stringContaining('damaged')]);
    expect((await (await newMigrator()).check()).warnings).toEqual([]);
  });

  test('is not remembered, and nothing is said, where the role may not write', async () => {
    await database.query(`drop schema auto_migration cascade;
      revoke create on schema public from public;
      create role reader_of_schemas login password 'reader'; alter table thing owner to reader_of_schemas`);
    try {
      const url = new URL(database.url);
      [url.username, url.password] = ['reader_of_schemas', 'reader'];
      const dataSource = new DataSource({ type: 'postgres', url: url.href, entities: [thing] });
      await dataSource.initialize();
      const report = await new AutoMigrator(dataSource).heal();
      await dataSource.destroy();
      expect(report).toMatchObject({ outcome: 'nothing-to-do', error: null, warnings: [] });
    } finally {
      await database.query(
        'reassign owned by reader_of_schemas to current_user; drop owned by reader_of_schemas; drop role reader_of_schemas',
      );
    }
  });
});
