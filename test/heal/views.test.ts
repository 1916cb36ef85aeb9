import { EntitySchema, ViewEntity, type EntitySchemaColumnOptions } from 'typeorm';
import pg from 'pg';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { VIEW_CASES, type ViewCase } from './view-cases.js';

const cases = VIEW_CASES.map((each, number) => {
  const table = `base_${number}`;
  const named = JSON.parse(JSON.stringify(each).replaceAll('$table', table)) as ViewCase;
  return { ...named, table };
});
type NamedCase = (typeof cases)[number];

const COLUMNS: Record<string, EntitySchemaColumnOptions> = {
  id: { type: 'integer', primary: true },
  a: { type: 'varchar', length: 10, nullable: true },
  n: { type: 'integer', nullable: true },
};

function entitiesOf({ table, views, columns }: NamedCase): (EntitySchema | (new () => object))[] {
  // EntitySchema has no word for a materialized view.
  const classes: (new () => object)[] = [];
  for (const { name, expression, materialized = false } of views) {
    const View = class {
      id?: number;
    };
    ViewEntity({ name, expression, materialized, dependsOn: [...classes] })(View);
    classes.push(View);
  }
  return [new EntitySchema({ name: table, columns: { ...COLUMNS, ...columns } }), ...classes];
}

/** Legacy tables and views of each case. */
async function createLegacy(database: TestDatabase, some: readonly NamedCase[]): Promise<void> {
  for (const { table, legacy } of some)
    await database.query(
      `create table ${table} (id integer primary key, a varchar(10), n integer); insert into ${table} values (1, 'x', 1); ${legacy}`,
    );
}

/** What a view has besides its SELECT; of columns that stay. */
function belongings(database: TestDatabase): Promise<Record<string, unknown>[]> {
  return database.query(
    `select c.relname as view, c.relkind, c.reloptions, array(select g::text from unnest(c.relacl) g order by 1) as grants, obj_description(c.oid) as comment,
       array(select a.attname || ': ' || coalesce(a.attacl::text, '') || coalesce(col_description(c.oid, a.attnum), '')
         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attname <> 'n' order by 1) as columns,
       array(select pg_get_indexdef(x.indexrelid) from pg_index x where x.indrelid = c.oid order by 1) as indexes
     from pg_class c where c.relkind in ('v', 'm') and c.relnamespace = 'public'::regnamespace order by 1`,
  );
}

describe('views are made anew with what builds on them, and keep what they had', () => {
  let database: TestDatabase;
  let before: Record<string, unknown>[];
  let small: CheckReport;
  let report: HealReport;
  let after: CheckReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    await createLegacy(database, cases);
    before = await belongings(database);
    const dataSource = await openDataSource(database.url, cases.flatMap(entitiesOf));
    small = await new AutoMigrator(dataSource, { execution: 'online', smallTableBytes: 0 }).check();
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    report = await migrator.heal();
    after = await migrator.check();
  });

  const healed = cases.filter(({ steps }) => steps);
  const open = cases.filter(({ reason }) => reason !== undefined);

  test.each(healed)('$title', ({ table, steps }) => {
    const done = report.applied
      .filter(({ object }) => new RegExp(`^public\\.${table}(?!\\d)`).test(object))
      .map(({ action }) => action)
      .filter((action) => !action.includes('note') && !action.startsWith('keep'));
    expect(done).toEqual(steps);
    const left = after.drift.filter(({ object }) => object.startsWith(`public.${table}_v`));
    expect(left.filter(({ disposition }) => disposition !== 'extra')).toEqual([]);
  });

  test.each(open)('$title: open', ({ table, reason, hazard = 'undecided' }) => {
    const left = after.drift.filter(
      ({ kind, object, disposition }) =>
        kind !== 'missing-note' &&
        disposition === 'open' &&
        new RegExp(`^public\\.${table}(?!\\d)`).test(object),
    );
    expect(left.map((each) => [each.hazards, each.reason])).toEqual([[[hazard], reason]]);
  });

  test('nothing failed, and what the views had they still have', async () => {
    expect(report).toMatchObject({ failed: [], error: null });
    expect(await belongings(database)).toEqual(before);
  });

  test('a large materialized view is not filled anew while others would want to read it', () => {
    const found = small.drift.find(({ reason }) => reason?.includes('nobody could read it'));
    expect(found).toMatchObject({ disposition: 'open', hazards: ['blocks'] });
  });
});

describe('a run that dies while it makes views anew', () => {
  const chosen = cases.filter(({ title }) => title === 'a materialized view on a view');

  test('leaves all of them as they were, and the next run finishes the work', async () => {
    const database = await createTestDatabase();
    await createLegacy(database, chosen);
    const before = await belongings(database);
    const dataSource = await openDataSource(database.url, chosen.flatMap(entitiesOf));
    const migrator = new AutoMigrator(dataSource, { execution: 'online', lockTimeoutMs: 60_000 });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`begin; select count(*) from ${chosen[0]?.table}_v`);
    const healing = migrator.heal();
    // The materialized view is gone in its transaction already.
    const pid = await vi.waitFor(
      async () => {
        const [lock] = await database.query<{ pid: number }>(
          `select pid from pg_locks where relation = '${chosen[0]?.table}_v'::regclass and not granted`,
        );
        if (!lock) throw new Error('nobody waits yet');
        return lock.pid;
      },
      { timeout: 20_000, interval: 10 },
    );
    await database.query('select pg_terminate_backend($1, 5000)', [pid]);
    expect(await healing).toMatchObject({ outcome: 'failed' });
    await client.end();
    expect(await belongings(database)).toEqual(before);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
    expect(await belongings(database)).toEqual(before);
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
  });
});
