import { expect, test } from 'vitest';
import { connectorOf } from '../../src/desired/data-source.js';
import { columnKey, withMaxima } from '../../src/schema/read-maxima.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

test('rows that come while it is read do not make their sequence look as if it were behind', async () => {
  const database = await createTestDatabase();
  await database.query('create table room (id serial primary key); insert into room default values');
  const connection = await connectorOf(await openDataSource(database.url, []))();
  try {
    const schema = await readSchema(connection, [{ actual: 'public', reportedAs: 'public' }]);
    await database.query('insert into room select from generate_series(1, 99)');
    const keys = new Set([columnKey({ schema: 'public', name: 'room' }, 'id')]);
    const { tables } = await withMaxima(connection, schema, () => keys);
    expect(tables[0]?.columns[0]?.sequence).toMatchObject({ maximum: '100', next: '101' });
  } finally {
    await connection.close();
  }
});
