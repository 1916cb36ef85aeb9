import { expect, test, vi } from 'vitest';
import { Backfill } from '../../src/desired/backfill.decorator.js';
import { RenamedFrom } from '../../src/desired/renamed-from.js';

@RenamedFrom('employee')
class Staff {
  @RenamedFrom('forename')
  @Backfill('upper(username)')
  firstName!: string;
}

// A globally installed command line reads the entities of an application, which has a copy of this package of its own.
test('what an entity declares by one copy of the package is read by another', async () => {
  vi.resetModules();
  const names = await import('../../src/desired/renamed-from.js');
  const fills = await import('../../src/desired/backfill.decorator.js');
  expect([names.RenamedFrom, fills.Backfill]).not.toContain(RenamedFrom);
  expect(names.formerNamesOfClass(Staff)).toEqual(['employee']);
  expect(names.formerNamesOfProperty(Staff, 'firstName')).toEqual(['forename']);
  expect(fills.backfillOf(Staff, 'firstName')).toMatchObject({ expression: 'upper(username)' });
});
