import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { closeAfter } from './open-resources.js';

/** Debian's package puts it where an ordinary user's path does not lead. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;

/** Whether it can be started here; tests that need it are skipped where not. */
export const HAS_PGBOUNCER =
  process.platform !== 'win32' && spawnSync('pgbouncer', ['--version'], { env: { PATH } }).status === 0;

if (!HAS_PGBOUNCER)
  console.warn(
    'pgbouncer is not installed: what is behind it is not tested (Debian: apt-get install pgbouncer)',
  );

/** A pooler in transaction mode before the tests' server. */
export interface PgBouncer {
  /** The same database, through the pooler. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export interface PgBouncerOptions {
  /** How many connections to the server it has for a database. */
  readonly poolSize: number;
}

/** Stopped at the end of the test file, before the databases are dropped. */
export async function startPgBouncer(
  database: { readonly url: string },
  { poolSize }: PgBouncerOptions,
): Promise<PgBouncer> {
  const server = new URL(database.url);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  const users = join(folder, 'users.txt');
  const settings = join(folder, 'pgbouncer.ini');
  const password = decodeURIComponent(server.password);
  await writeFile(users, `"${decodeURIComponent(server.username)}" "${password}"\n`);
  await writeFile(
    settings,
    `[databases]
* = host=${server.hostname} port=${server.port || '5432'}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
query_wait_timeout = 60
`,
  );
  // It does not run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await Promise.all([chmod(folder, 0o755), chmod(users, 0o644), chmod(settings, 0o644)]);
  const flags = [...(isRoot ? ['-u', 'nobody'] : []), settings];
  const child = spawn('pgbouncer', flags, { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, 'close');
  const url = new URL(database.url);
  url.host = `127.0.0.1:${port}`;
  let isRunning = true;
  const bouncer: PgBouncer = {
    url: url.href,
    async stop() {
      if (!isRunning) return;
      isRunning = false;
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
  closeAfter('file', () => bouncer.stop());
  await untilItAnswers(bouncer.url, () => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended: ${log}`);
  });
  return bouncer;
}

async function untilItAnswers(url: string, assertRunning: () => void): Promise<void> {
  for (;;) {
    assertRunning();
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await sleep(50);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
