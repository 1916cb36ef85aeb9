import { fileURLToPath } from 'node:url';

/** Git ignores it; delete it to begin again with the legacy database. */
const DIRECTORY = fileURLToPath(new URL('../../.postgres', import.meta.url));

export interface Database {
  readonly url: string;
  /** Ends the server if it is this process that started it. */
  stop(): Promise<void>;
}

/** The database of DATABASE_URL, or else a real PostgreSQL from npm, kept beside this sample. */
export async function openDatabase(): Promise<Database> {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  // Only needed here, and not there in a production image.
  const { startPostgres } = await import('../../../../tools/embedded-postgres/index.mjs');
  return startPostgres({ directory: DIRECTORY, persistent: true });
}

/** The same for a command beside the running application: it starts no server. */
export async function runningDatabaseUrl(): Promise<string> {
  const given = process.env['DATABASE_URL'];
  if (given) return given;
  const { findRunningPostgres } = await import('../../../../tools/embedded-postgres/index.mjs');
  const url = await findRunningPostgres(DIRECTORY);
  if (!url) throw new Error('The sample does not run. Start it with "npm start" in another terminal.');
  return url;
}
