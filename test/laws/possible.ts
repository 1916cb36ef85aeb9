import type { TestContext } from 'vitest';
import { createTestDatabase } from '../setup/database.js';
import { isPossible } from '../setup/versions.js';
import type { LawCase } from './law-case.js';

const server = await createTestDatabase();
const available = await server.query<{ name: string }>('select name from pg_available_extensions');
await server.drop();

/** With the reason in the report. */
export function skipWhereImpossible({ since, extension }: LawCase, skip: TestContext['skip']): void {
  skip(!isPossible(since), 'not possible with these versions');
  const isThere = extension === undefined || available.some(({ name }) => name === extension);
  skip(!isThere, `the server does not have the extension ${extension}`);
}
