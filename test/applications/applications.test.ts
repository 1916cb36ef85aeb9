import { DataSource, type EntityMetadata } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Drift } from '../../src/plan/plan.js';
import { catalogOf } from '../laws/catalog.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { fillTables, valuesOf } from './rows.js';
import { APPLICATIONS, isFetched } from './load-application.js';

/** What stays open on the database that an application's own migrations make, and nothing else does; of others nothing. */
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
  n8n: [
    // The migrations made them wider, or of another kind, than the entities say, some by the compiler's type alone.
    /^different-type public\.processed_data\.value: text is not widened to json in place: /,
    /^different-type public\.test_case_execution\.executionId: integer is not widened to character varying in place: /,
    /^different-type public\.test_run\.errorCode: character varying is not widened to character varying\(255\) in place: /,
    /^different-type public\.test_run\.evaluationConfigSnapshot: jsonb is not widened to json in place: /,
    /^different-type public\.user\.email: character varying\(255\) is not widened to character varying\(254\) in place: /,
    /^different-type public\.workflow_entity\.versionId: character\(36\) is not widened to character varying\(36\) in place: /,
    // Rows that the migrations themselves put in have none.
    /^different-nullability public\.role\.displayName: rows have NULL in it/,
    /^different-nullability public\.user\.mfaRecoveryCodes: rows have NULL in it/,
  ],
};

/** TypeORM's synchronize stops with an error: an entity and a junction table of one name drop each other's keys. */
const CANNOT_SYNCHRONIZE = new Set(['medusa']);

/** What TypeORM's synchronize goes on wanting after it has run. */
const NEVER_RESTS: Readonly<Record<string, string[]>> = {
  // A unique over the columns of the primary key: PostgreSQL leaves it out of a CREATE TABLE.
  n8n: ['UQ_f0c1a03093f610118ecf776e539'],
};

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

/** TypeORM goes on wanting what two metadatas of one table want of each other, too. */
function restless(name: string, { entityMetadatas }: DataSource): string[] {
  const tables = entityMetadatas.map(({ tableName }: EntityMetadata) => tableName);
  return [...tables.filter((table, i) => tables.indexOf(table) !== i), ...(NEVER_RESTS[name] ?? [])];
}

/** None is the entities'. To us that is no drift, and TypeORM would make the keys of such a column anew. */
async function dropComments(database: TestDatabase): Promise<void> {
  await database.query("delete from pg_description where classoid = 'pg_class'::regclass and objsubid > 0");
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
      const names = restless(name, dataSource);
      const wishes = (await wishesOf(dataSource)).toSorted();
      expect(wishes.filter((wish) => !mentions(wish, names) && !wish.startsWith('DROP INDEX'))).toEqual([]);
      expect(names.length === 0 ? wishes : []).toEqual([]);
      return { catalog: await catalogOf(database), wishes };
    });
    if (CANNOT_SYNCHRONIZE.has(name)) return;
    await withDatabase(name, async (dataSource, database) => {
      await dataSource.synchronize();
      const wishes = (await wishesOf(dataSource)).toSorted();
      expect(healed).toEqual({ catalog: await catalogOf(database), wishes });
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
        const outcome = OPEN[name] === undefined ? 'healed' : 'partly-healed';
        expect(report).toMatchObject({ outcome, failed: [], error: null });
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
        await dropComments(database);
        const left = [...after.drift.flatMap(namesIn), ...restless(name, dataSource)];
        expect((await wishesOf(dataSource)).filter((wish) => !mentions(wish, left))).toEqual([]);
      });
    },
  );
});
