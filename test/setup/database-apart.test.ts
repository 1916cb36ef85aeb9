import { expect, test } from 'vitest';
import { createTestDatabase } from './database.js';

// Runs beside database.test.ts, which deletes these rows in its own copy.
test('what another test file does to its database is not seen here', async () => {
  const database = await createTestDatabase({ template: 'hotel' });
  expect(await database.query('SELECT count(*)::int AS requests FROM request')).toEqual([
    { requests: 5_000 },
  ]);
});
