import pg from 'pg';
import type { TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

/** Somebody whose transaction is left open. */
export interface Blocker {
  readonly release: () => Promise<void>;
}

type Where = Pick<TestDatabase, 'url'>;

/** Reads a table, so that nobody can alter it. */
export function block(database: Where, table: string): Promise<Blocker> {
  return begin(database, `begin; lock table ${table} in access share mode`);
}

/** Is about to write to a table, so that no index can be built on it, and none dropped concurrently either. */
export function blockIndexes(database: Where, table: string): Promise<Blocker> {
  return begin(database, `begin; lock table ${table} in row exclusive mode`);
}

/** Maintains a table, say with VACUUM, so that no index build of it begins. */
export function blockMaintenance(database: Where, table: string): Promise<Blocker> {
  return begin(database, `begin; lock table ${table} in share update exclusive mode`);
}

/** Has an old snapshot, which every concurrent index build waits for. It is in nobody else's way. */
export function holdSnapshot(database: Where): Promise<Blocker> {
  return begin(database, 'begin isolation level repeatable read; select 1');
}

/** Takes whatever lock a statement takes. */
export function holdLock(database: Where, sql: string): Promise<Blocker> {
  return begin(database, `begin; ${sql}`);
}

async function begin(database: Where, sql: string): Promise<Blocker> {
  const client = new pg.Client({ connectionString: database.url, application_name: 'blocker' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(sql);
  let isOpen = true;
  const release = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await client.end();
  };
  closeAfter('file', release);
  return { release };
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
