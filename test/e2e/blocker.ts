import pg from 'pg';
import { afterAll } from 'vitest';
import type { TestDatabase } from '../setup/database.js';

/** Somebody who reads a table in a transaction that is left open, so that nobody can alter it. */
export interface Blocker {
  readonly release: () => Promise<void>;
}

const blockers = new Set<Blocker>();

afterAll(async () => {
  await Promise.all([...blockers].map(({ release }) => release()));
});

export async function block(database: Pick<TestDatabase, 'url'>, table: string): Promise<Blocker> {
  const client = new pg.Client({ connectionString: database.url, application_name: 'blocker' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`begin; lock table ${table} in access share mode`);
  const blocker: Blocker = {
    async release() {
      if (blockers.delete(blocker)) await client.end();
    },
  };
  blockers.add(blocker);
  return blocker;
}

/** The module's sessions on the server, with what each of them is at. */
export function sessionsOf(database: TestDatabase): Promise<{ query: string; waitsForLock: boolean }[]> {
  return database.query<{ query: string; waitsForLock: boolean }>(
    `select query, wait_event_type is not distinct from 'Lock' as "waitsForLock" from pg_stat_activity
      where application_name = 'nestjs-auto-migration' and datname = current_database()`,
  );
}

/** Those that wait for somebody else's lock. */
export async function waitingOf(database: TestDatabase): Promise<string[]> {
  return (await sessionsOf(database)).filter(({ waitsForLock }) => waitsForLock).map(({ query }) => query);
}
