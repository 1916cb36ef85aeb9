import { EntitySchema, type ColumnType } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { POSTGRES_MAJOR } from '../setup/versions.js';

interface Misfit {
  readonly from: string;
  readonly values: readonly string[];
  readonly to: ColumnType;
  readonly length?: number;
  /** How many of the values are none of the wanted type. */
  readonly misfits: number;
  /** PostgreSQL 16 can ask whether a text is a value of a type; before, this cannot be told. */
  readonly since?: number;
}

const UUID = '8fb3d2a0-7a4e-4c43-9a2f-0d5e0c7b1a11';

const cases: Misfit[] = [
  { from: 'text', values: ['ok', 'too long'], to: 'varchar', length: 3, misfits: 1 },
  { from: 'text', values: [UUID, UUID.toUpperCase()], to: 'uuid', misfits: 0 },
  { from: 'varchar(40)', values: [UUID, '', 'nobody', `${UUID}0`], to: 'uuid', misfits: 3 },
  { from: 'uuid', values: [UUID], to: 'text', misfits: 0 },
  { from: 'jsonb', values: ['{"a": [1, null]}'], to: 'varchar', misfits: 0 },
  { from: 'bigint', values: ['-32768', '32767', '32768'], to: 'smallint', misfits: 1 },
  { from: 'bigint', values: ['-2147483649', '2147483647'], to: 'integer', misfits: 1 },
  { from: 'numeric', values: ['9223372036854775807', '9223372036854775808'], to: 'bigint', misfits: 1 },
  { from: 'numeric', values: ['1', '1.5', 'NaN'], to: 'integer', misfits: 2 },
  { from: 'text', values: ['1', ' -5 ', '99999999999'], to: 'integer', misfits: 1 },
  { from: 'text', values: ['1', 'one'], to: 'integer', misfits: 1, since: 16 },
  { from: 'text', values: ['2026-11-24', 'yesterday, or so'], to: 'date', misfits: 1, since: 16 },
];

const REASONS = ['its values fit', '1 value does not fit'];

function reasonFor({ misfits, since = 0 }: Misfit): string {
  if (since > POSTGRES_MAJOR) return 'values may be lost or refused';
  return REASONS[misfits] ?? `${misfits} values do not fit`;
}

test.for(cases)('$from with $values becomes no $to in place: $misfits misfits', async (each) => {
  const database = await createTestDatabase();
  const values = each.values.map((_, i) => `($${i + 1}::text::${each.from})`);
  await database.query(`create table list (id serial primary key, item ${each.from})`);
  await database.query(`insert into list (item) values ${values.join(', ')}, (null)`, [...each.values]);
  const entity = new EntitySchema({
    name: 'list',
    columns: {
      id: { type: 'integer', primary: true, generated: 'increment' },
      item: {
        type: each.to,
        nullable: true,
        ...(each.length === undefined ? {} : { length: each.length }),
      },
    },
  });
  const dataSource = await openDataSource(database.url, [entity]);
  const { drift } = await new AutoMigrator(dataSource).check();
  const types = drift.filter(({ kind }) => kind === 'different-type');
  expect(types).toMatchObject([{ object: 'public.list.item', disposition: 'open' }]);
  expect(types[0]?.reason).toContain(`in place: ${reasonFor(each)}`);
  await dataSource.destroy();
  await database.drop();
});
