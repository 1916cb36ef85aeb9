import { expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { hall, ROOM, room } from '../approval/room.js';
import { createTestDatabase } from '../setup/database.js';

test('after a run a tick asks whether anything has changed or was approved, and is answered', async () => {
  const database = await createTestDatabase();
  await database.query(`${ROOM}; alter table room drop column floor`);
  const dataSource = await openDataSource(database.url, [room, hall]);
  const migrator = new AutoMigrator(dataSource);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed' });
  const asked = vi.spyOn(dataSource, 'query');
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', error: null });
  expect(await asked.mock.results[0]?.value).toMatchObject([{ decided: false }]);
});
