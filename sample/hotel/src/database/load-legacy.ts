import { readFile } from 'node:fs/promises';
import pg from 'pg';

const LEGACY = new URL('../../database/hotel-legacy.sql', import.meta.url);

/** Two replicas may start on the empty database at once: one loads, the other waits for it. */
const LOAD_IF_EMPTY = `begin; select pg_advisory_xact_lock(hashtext('hotel sample: load the legacy database'))`;

/** Loads the database as it was before this release, unless there is one. Answers whether it did. */
export async function loadLegacyDatabase(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(LOAD_IF_EMPTY);
    const { rows } = await client.query<{ there: boolean }>(
      `select to_regclass('public.tenants') is not null as there`,
    );
    const isEmpty = !rows[0]?.there;
    if (isEmpty) await client.query(await readFile(LEGACY, 'utf8'));
    await client.query('commit');
    return isEmpty;
  } finally {
    await client.end();
  }
}
