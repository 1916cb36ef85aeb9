import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createEmptiedDatabase } from '../setup/emptied-database.js';

const database = await createEmptiedDatabase();

const visit = (name: string, note: EntitySchemaColumnOptions): EntitySchema =>
  new EntitySchema({ name, tableName: 'visit', columns: { id: { type: 'integer', primary: true }, note } });

const cases: [what: string, one: EntitySchemaColumnOptions, two: EntitySchemaColumnOptions, told: string][] =
  [
    ['its type', { type: 'text' }, { type: 'integer' }, 'text NOT NULL; integer NOT NULL'],
    [
      'its length',
      { type: 'varchar', length: 100 },
      { type: 'varchar' },
      'character varying(100) NOT NULL; character varying NOT NULL',
    ],
    ['NOT NULL', { type: 'text', nullable: true }, { type: 'text' }, 'text; text NOT NULL'],
    [
      'its default',
      { type: 'text', default: 'a' },
      { type: 'text', default: 'b' },
      `text DEFAULT 'a' NOT NULL; text DEFAULT 'b' NOT NULL`,
    ],
  ];

test.each(cases)(
  'two entities that differ in %s of one column: the first counts, it is told once, and nothing goes to and fro',
  async (_, one, two, told) => {
    const dataSource = await openDataSource(database.url, [visit('Visit', two), visit('Guest', one)]);
    const migrator = new AutoMigrator(dataSource);
    expect((await migrator.check()).warnings).toEqual([
      `The entities Guest and Visit ask for public.visit.note differently (${told}): that of Guest counts`,
    ]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do' });
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [], warnings: [] });
    expect(await new AutoMigrator(dataSource).check()).toMatchObject({ verdict: 'in-sync', drift: [] });
    // TypeORM never rests: what it has just made is still not as the one of them wants it.
    await dataSource.synchronize();
    await dataSource.synchronize();
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).not.toEqual([]);
  },
);

test('two entities that ask for the same, each with columns of its own, contradict each other in nothing', async () => {
  const dataSource = await openDataSource(database.url, [
    visit('Visit', { type: 'text' }),
    new EntitySchema({
      name: 'Guest',
      tableName: 'visit',
      columns: { id: { type: 'integer', primary: true }, note: { type: 'text' }, more: { type: 'integer' } },
    }),
  ]);
  expect((await new AutoMigrator(dataSource).check()).warnings).toEqual([]);
});
