import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

/** An application to which the module was added before its first entity. */
test('a data source without entities is in sync, whatever the database holds', async () => {
  const database = await createTestDatabase({ template: 'hotel' });
  const migrator = new AutoMigrator(await openDataSource(database.url, []));
  const inSync = { verdict: 'in-sync', schemas: [], drift: [], error: null };
  expect(await migrator.check()).toMatchObject(inSync);
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', open: [], error: null });
  // Recalled from the journal's schema, and not only from this migrator's memory.
  const another = new AutoMigrator(await openDataSource(database.url, []));
  expect(await another.check()).toMatchObject(inSync);
});
