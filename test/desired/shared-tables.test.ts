import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

type Options = ConstructorParameters<typeof EntitySchema<Record<string, unknown>>>[0];
const entity = (options: Options): EntitySchema => new EntitySchema<Record<string, unknown>>(options);
const key = (type: 'integer' | 'text' = 'integer') => ({ type, primary: true }) as const;

const LEFT = entity({
  name: 'left',
  columns: { id: key() },
  relations: {
    rights: {
      type: 'many-to-many',
      target: 'right',
      joinTable: { name: 'both', joinColumn: { name: 'left_id' }, inverseJoinColumn: { name: 'right_id' } },
    },
  },
});
const RIGHT = entity({ name: 'right', columns: { id: key() } });

/** The same table as the join's, written out by somebody who wants to be asked before a row of it goes. */
const BOTH = entity({
  name: 'both',
  columns: {
    left_id: key(),
    right_id: key(),
    since: { type: 'timestamptz', default: () => 'now()' },
  },
  relations: {
    left: { type: 'many-to-one', target: 'left', joinColumn: { name: 'left_id' }, onDelete: 'RESTRICT' },
  },
});

// TypeORM itself never rests about these: each time it drops what the other one asks for.
describe('an entity and a junction table of one name are one table', () => {
  const orders = [
    [LEFT, RIGHT, BOTH],
    [BOTH, RIGHT, LEFT],
  ];

  test.each(orders.map((entities) => ({ entities })))(
    'the entity wins, and the join adds what it lacks',
    async ({ entities }) => {
      const database = await createTestDatabase();
      const migrator = new AutoMigrator(await openDataSource(database.url, entities));
      expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
      expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
      const constraints = await database.query<{ definition: string }>(
        `select pg_get_constraintdef(oid) as definition from pg_constraint
         where conrelid = 'both'::regclass and contype <> 'n' order by 1`,
      );
      expect(constraints.map(({ definition }) => definition.replace(' ON UPDATE CASCADE', ''))).toEqual([
        'FOREIGN KEY (left_id) REFERENCES "left"(id) ON DELETE RESTRICT',
        'FOREIGN KEY (right_id) REFERENCES "right"(id) ON DELETE CASCADE',
        'PRIMARY KEY (left_id, right_id)',
      ]);
      await database.query(`insert into "left" values (1); insert into "right" values (2)`);
      await database.query('insert into "both" values (1, 2)');
      expect(await database.query('select since is not null as filled from "both"')).toEqual([
        { filled: true },
      ]);
    },
  );

  test('and the order in which they are loaded changes nothing', async () => {
    const database = await createTestDatabase();
    const hashes = new Set<string | null>();
    for (const entities of orders) {
      const { desiredHash } = await new AutoMigrator(await openDataSource(database.url, entities)).check();
      hashes.add(desiredHash);
    }
    expect(hashes.size).toBe(1);
  });
});
