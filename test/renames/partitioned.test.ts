import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

const BEFORE = `create table elevator (id integer not null, code text) partition by range (id);
  create table elevator_1 partition of elevator for values from (1) to (9) partition by range (id);
  create table elevator_1_1 partition of elevator_1 for values from (1) to (5);
  insert into elevator values (1, 'a');
  create table door (id integer constraint door_pkey primary key, lift_id integer)`;

const lift = new EntitySchema({
  name: 'lift',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'lift_pkey' },
    code: { type: 'text' },
  },
  indices: [{ name: 'lift_code', columns: ['code'] }],
});
const door = new EntitySchema({
  name: 'door',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'door_pkey' },
    liftId: {
      type: 'integer',
      name: 'lift_id',
      nullable: true,
      foreignKey: { target: 'lift', name: 'door_lift' },
    },
  },
});

// PostgreSQL builds no index of a partitioned table concurrently.
describe.each(['online', 'atomic'] as const)(
  'a partitioned table gets a new name, an index and a key in one run, %s',
  (execution) => {
    test.each([
      ['small', 16_777_216],
      ['large', 0],
    ])('while it is %s', async (_title, smallTableBytes) => {
      const database = await createTestDatabase();
      await database.query(BEFORE);
      const migrator = new AutoMigrator(await openDataSource(database.url, [lift, door]), {
        execution,
        smallTableBytes,
        renamedFrom: { tables: { lift: ['elevator'] } },
      });
      expect(await migrator.heal()).toMatchObject({ outcome: 'healed', failed: [], open: [] });
      const indexes = `select indisvalid as valid, count(*)::int from pg_index
        where indrelid in (select relid from pg_partition_tree('lift')) group by 1`;
      expect(await database.query(indexes)).toEqual([{ valid: true, count: 6 }]);
      expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    });
  },
);
