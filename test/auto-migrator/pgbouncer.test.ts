import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

// Debian's package; it lies where an ordinary user's PATH may not lead.
const PATH = `${process.env['PATH']}:/usr/sbin`;
const isThere = spawnSync('pgbouncer', ['--version'], { env: { PATH } }).status === 0;
const isRoot = process.getuid?.() === 0;

const ENTITIES = [
  new EntitySchema({
    name: 'room',
    columns: {
      id: { type: 'integer', primary: true, generated: 'increment', primaryKeyConstraintName: 'room_key' },
      floor: { type: 'integer', default: 1 },
    },
  }),
];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!isThere)('behind PgBouncer in transaction mode (skipped where it is not installed)', () => {
  let database: TestDatabase;
  let directory: string;
  let pooler: ChildProcess;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(
      'create table room (id serial constraint room_key primary key, floor integer not null default 1)',
    );
    await database.query('insert into room default values');
    const server = new URL(database.url);
    directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
    await chmod(directory, 0o755);
    const port = await freePort();
    const target = `host=${server.hostname} port=${server.port} user=${server.username} password='${decodeURIComponent(server.password)}'`;
    const settings = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'any',
      pool_mode: 'transaction',
      // Two sessions for whoever comes: what one client leaves behind, another one meets.
      default_pool_size: 2,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    const file = join(directory, 'pgbouncer.ini');
    await writeFile(file, `[databases]\n* = ${target}\n[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o644 });
    // It refuses to run as root.
    pooler = spawn('pgbouncer', ['--quiet', ...(isRoot ? ['--user=nobody'] : []), file], {
      env: { PATH },
      stdio: 'ignore',
    });
    url = `postgres://app:app@127.0.0.1:${port}${server.pathname}`;
    await vi.waitFor(
      async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.end();
      },
      { timeout: 10_000 },
    );
  });

  afterAll(async () => {
    pooler?.kill('SIGTERM');
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  test('a look finds what is there, and leaves no setting behind for the application', async () => {
    const dataSource = await openDataSource(url, ENTITIES);
    const migrators = [1, 2, 3, 4].map(() => new AutoMigrator(dataSource));
    const repository = dataSource.getRepository('room');
    const reports = await Promise.all(
      migrators.flatMap((migrator) => [migrator.check(), repository.count().then(() => undefined)]),
    );
    expect(reports.filter((report) => report !== undefined)).toMatchObject(
      migrators.map(() => ({ verdict: 'in-sync', error: null })),
    );
    for (let query = 0; query < 8; query++) {
      expect(await repository.count()).toBe(1);
      expect(await dataSource.query('select current_schema() as schema')).toEqual([{ schema: 'public' }]);
    }
  });

  test('it finds drift, too, and a glance behind it notices a change', async () => {
    const migrator = new AutoMigrator(await openDataSource(url, ENTITIES));
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync' });
    await database.query('alter table room drop column floor');
    expect(await migrator.check()).toMatchObject({
      verdict: 'drift',
      drift: [{ kind: 'missing-column', object: 'public.room.floor' }],
    });
    expect(await migrator.healer()).toBeNull();
  });
});
