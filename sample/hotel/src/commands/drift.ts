import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { runningDatabaseUrl } from '../database/database-url.js';

/** Breaks the schema of the running sample, and watches it heal. */

const DRIFT = ['alter table staff drop column avatar_url', 'drop index idx_call_start_time'];
const HEALTH = `http://127.0.0.1:${process.env['PORT'] ?? 3000}/health`;

interface Health {
  readonly status: string;
  readonly details: { readonly schema?: { readonly reason?: string } };
}

async function breakSchema(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of DRIFT) {
      await client.query(sql);
      console.log(sql);
    }
  } finally {
    await client.end();
  }
}

async function look(): Promise<string> {
  const response = await fetch(HEALTH);
  const { status, details } = (await response.json()) as Health;
  return `${status} (${details.schema?.reason ?? 'no schema'})`;
}

/** Prints each change of /health until it is ok again after having been something else, for a minute at most. */
async function watch(): Promise<void> {
  const end = Date.now() + 60_000;
  let last = '';
  for (let wasDegraded = false; Date.now() < end; await sleep(5)) {
    const now = await look();
    if (now !== last) console.log(`${new Date().toISOString()} /health ${now}`);
    last = now;
    if (wasDegraded && now.startsWith('ok')) return;
    wasDegraded ||= !now.startsWith('ok');
  }
}

await breakSchema(await runningDatabaseUrl());
await watch();
