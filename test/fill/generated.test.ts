import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'stay_pkey' } as const;
const sum = (asExpression: string) => ({ type: 'integer', generatedType: 'STORED', asExpression }) as const;

/** It may be NULL in rows that are there. */
const nullable = <Column extends object>(amount: Column) => ({ amount: { ...amount, nullable: true } });

async function stays(nights: string): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query(`create table stay (id integer constraint stay_pkey primary key, nights integer);
    insert into stay select i, ${nights} from generate_series(1, 5) i`);
  return database;
}

describe.each(['online', 'atomic'] as const)('a new column that is generated, %s', (execution) => {
  test('and NOT NULL comes after what it reads is filled, with all that is built on it, in one run', async () => {
    const database = await stays('i');
    const stay = new EntitySchema({
      name: 'stay',
      columns: {
        id,
        nights: { type: 'integer', nullable: true },
        paid: { type: 'integer' },
        total: sum('paid + 1'),
      },
      checks: [{ name: 'positive', expression: 'total > 0' }],
      indices: [{ name: 'by_total', columns: ['total'] }],
    });
    const backfills = [{ table: 'stay', column: 'paid', expression: 'nights' }];
    const migrator = new AutoMigrator(await openDataSource(database.url, [stay]), { execution, backfills });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
    expect(await database.query('select total from stay order by id')).toEqual(
      [2, 3, 4, 5, 6].map((total) => ({ total })),
    );
  });

  test.each([
    [
      'a column that is declared after it',
      { amount: sum('zone * 2'), zone: { type: 'integer', nullable: true } },
    ],
    ['one with a default', { amount: sum('zone * 2'), zone: { type: 'integer', default: 3 } }],
    [
      'a slice to one that becomes wider',
      {
        nights: { type: 'bigint', nullable: true },
        amount: {
          type: 'text',
          array: true,
          nullable: true,
          generatedType: 'STORED',
          asExpression: `('{a,b}'::text[])[1:nights]`,
        },
      },
    ],
  ] as const)('is made in one run from %s', async (_title, columns) => {
    const database = await stays('i');
    const stay = new EntitySchema({
      name: 'stay',
      columns: { id, nights: { type: 'integer', nullable: true }, ...columns, ...nullable(columns.amount) },
    });
    const migrator = new AutoMigrator(await openDataSource(database.url, [stay]), { execution });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
  });

  test('and NOT NULL is not tried where it would be NULL, so that a data fix can mend that', async () => {
    const database = await stays('nullif(i, 3)');
    const stay = new EntitySchema({
      name: 'stay',
      columns: { id, nights: { type: 'integer', nullable: true }, total: sum('nights + 1') },
    });
    const run = (manager: { query(sql: string): Promise<unknown> }): Promise<unknown> =>
      manager.query('update stay set nights = 0 where nights is null');
    const migrator = new AutoMigrator(await openDataSource(database.url, [stay]), {
      execution,
      dataFixes: [{ id: 'nights', run }],
    });
    const { drift } = await migrator.check();
    expect(drift).toContainEqual(
      expect.objectContaining({ object: 'public.stay.total', disposition: 'open', hazards: ['violated'] }),
    );
    expect(await migrator.heal()).toMatchObject({ failed: [], dataFixes: [{ outcome: 'applied' }] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
  });
});
