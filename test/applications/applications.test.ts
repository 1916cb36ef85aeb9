import { DataSource, type EntityMetadata } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Drift } from '../../src/plan/plan.js';
import { catalogOf } from '../laws/catalog.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { fillTables, valuesOf } from './rows.js';
import { APPLICATIONS, isFetched } from './load-application.js';

/** What stays open on the database that an application's own migrations make, and nothing else does. */
const OPEN: Readonly<Record<string, RegExp[]>> = {
  flowise: [
    // The migrations made them uuid and jsonb, the entities say text and varchar(20).
    /^different-type public\.\w+\.workspaceId: uuid is not widened to text in place: its values fit/,
    /^different-type public\.apikey\.id: uuid is not widened to character varying\(20\) in place: /,
    /^different-type public\.apikey\.permissions: jsonb is not widened to text in place: /,
    /^different-default public\.apikey\.permissions: it builds on the type text, which stays open/,
  ],
  medusa: [
    // The entities say keys of their own, the migrations made those of the join; rows of it have no such key.
    /^different-nullability public\.product_sales_channel\.id: rows have NULL in it/,
    /^different-constraint public\.(product|publishable_api_key)_sales_channel\.PK_\w+: the primary key would change/,
    // By the type that the compiler wrote down for a property of one of two types: TypeORM takes it for a text.
    /^different-type public\.product_variant\.variant_rank: integer is not widened to text in place/,
    /^different-default public\.product_variant\.variant_rank: it builds on the type text, which stays open/,
  ],
};

/** TypeORM's synchronize stops with an error: an entity and a junction table of one name drop each other's keys. */
const CANNOT_SYNCHRONIZE = new Set(['medusa']);

async function withDatabase<Value>(
  name: string,
  task: (dataSource: DataSource, database: TestDatabase) => Promise<Value>,
): Promise<Value> {
  const { entities, migrations } = (await APPLICATIONS[name]?.()) ?? { entities: [], migrations: [] };
  const database = await createTestDatabase();
  const dataSource = new DataSource({
    type: 'postgres',
    url: database.url,
    entities,
    migrations,
    migrationsTransactionMode: 'each',
  });
  await dataSource.initialize();
  try {
    return await task(dataSource, database);
  } finally {
    await dataSource.destroy();
    await database.drop();
  }
}

const wishesOf = async (dataSource: DataSource): Promise<string[]> =>
  (await dataSource.driver.createSchemaBuilder().log()).upQueries.map(({ query }) => query);

const isDrift = ({ disposition }: Drift): boolean => disposition === 'heal' || disposition === 'open';

const openOnes = (drift: readonly Drift[]): string[] =>
  drift.filter(isDrift).map(({ kind, object, reason }) => `${kind} ${object}: ${reason}`);

/** TypeORM goes on wanting what two metadatas of one table want of each other. */
function sharedTables({ entityMetadatas }: DataSource): string[] {
  const names = entityMetadatas.map(({ tableName }: EntityMetadata) => tableName);
  return names.filter((name, i) => names.indexOf(name) !== i);
}

const mentions = (wish: string, names: readonly string[]): boolean =>
  names.some((name) => wish.includes(`"${name}"`));

/** An index is dropped without a word about its table; those that are not the entities' are named by our findings. */
const namesIn = ({ object, table, desired, actual }: Drift): string[] =>
  [object, table, desired, actual].flatMap((text) => text?.match(/[^\s".]+/gu) ?? []);

describe.each(Object.keys(APPLICATIONS))('%s', { timeout: 300_000 }, (name) => {
  const missing = 'npm run test:applications fetches it';

  test("after TypeORM's synchronize a check reports nothing", async ({ skip }) => {
    skip(!isFetched(name), missing);
    skip(CANNOT_SYNCHRONIZE.has(name), "TypeORM's synchronize stops with an error");
    await withDatabase(name, async (dataSource) => {
      await dataSource.synchronize();
      const { verdict, drift, error } = await new AutoMigrator(dataSource).check();
      expect({ verdict, drift, error }).toEqual({ verdict: 'in-sync', drift: [], error: null });
    });
  });

  test('after a heal of an empty database TypeORM wants nothing, and a check finds nothing', async ({
    skip,
  }) => {
    skip(!isFetched(name), missing);
    const healed = await withDatabase(name, async (dataSource, database) => {
      const migrator = new AutoMigrator(dataSource, { execution: 'online' });
      expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
      expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
      const shared = sharedTables(dataSource);
      const wishes = await wishesOf(dataSource);
      expect(wishes.filter((wish) => !mentions(wish, shared) && !wish.startsWith('DROP INDEX'))).toEqual([]);
      expect(shared.length === 0 ? wishes : []).toEqual([]);
      return catalogOf(database);
    });
    if (CANNOT_SYNCHRONIZE.has(name)) return;
    await withDatabase(name, async (dataSource, database) => {
      await dataSource.synchronize();
      expect(healed).toEqual(await catalogOf(database));
    });
  });

  test.for([{ rows: 'no rows' }, { rows: 'rows' }] as const)(
    'what its own migrations made, with $rows, is healed but for what a person has to decide',
    async ({ rows }, { skip }) => {
      skip(!isFetched(name), missing);
      await withDatabase(name, async (dataSource, database) => {
        await dataSource.runMigrations();
        if (rows === 'rows') await fillTables(database);
        const before = await valuesOf(database);
        const migrator = new AutoMigrator(dataSource, { execution: 'online' });
        const first = await migrator.check();
        expect(first).toMatchObject({ verdict: 'drift', error: null, warnings: [] });

        const report = await migrator.heal();
        expect(report).toMatchObject({ outcome: 'partly-healed', failed: [], error: null });
        const after = await migrator.check();
        // Nothing that the first look did not leave open.
        const openAtFirst = first.drift.filter(({ disposition }) => disposition === 'open');
        const unnamed = ({ kind, object }: Drift): string => `${kind} ${object}`;
        expect(after.drift.filter(isDrift).map(unnamed)).toEqual(openAtFirst.map(unnamed));
        const isDeclared = (each: string): boolean => OPEN[name]?.some((known) => known.test(each)) ?? false;
        expect(openOnes(after.drift).filter((each) => !isDeclared(each))).toEqual([]);
        expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', applied: [] });
        expect(await valuesOf(database)).toEqual(expect.objectContaining(before));

        // TypeORM wants more only where we left something, or where it never rests.
        const left = [...after.drift.flatMap(namesIn), ...sharedTables(dataSource)];
        expect((await wishesOf(dataSource)).filter((wish) => !mentions(wish, left))).toEqual([]);
      });
    },
  );
});
