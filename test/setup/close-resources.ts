import { afterAll, afterEach } from 'vitest';
import { closeAll } from './open-resources.js';

// Hooks run in the reverse order of their registration: these, made by a setup file, come after the test file's own.
afterEach(() => closeAll('test'));
afterAll(async () => {
  await closeAll('file');
  await closeAll('databases');
  await closeAll('roles');
});
