import { EntitySchema } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

test('the type of what a table is partitioned by is not changed, and PostgreSQL says the same', async () => {
  const database = await createTestDatabase();
  await database.query(`create table stay (id integer, night varchar(5), primary key (id, night)) partition by list (night);
    create table stay_1 partition of stay default`);
  const key = { type: 'integer', primary: true } as const;
  const stay = new EntitySchema({
    name: 'stay',
    columns: { id: key, night: { type: 'varchar', length: 9, primary: true } },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [stay]), { execution: 'online' });
  const { drift } = await migrator.check();
  const found = drift.find(({ kind }) => kind === 'different-type');
  expect(found).toMatchObject({
    hazards: ['waits'],
    reason: expect.stringMatching(/^the partition key of table public\.stay depends on it/) as string,
  });
  await expect(database.query(found?.sql.join('; ') ?? '')).rejects.toThrow(/part of the partition key/);
});
