import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntitySchema, type DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { startPostgres, type RunningPostgres } from '../../tools/embedded-postgres/index.mjs';
import { openDataSource } from './open-data-source.js';

const room = (...columns: string[]): EntitySchema =>
  new EntitySchema({
    name: 'room',
    columns: {
      id: { type: 'integer', primary: true, generated: 'increment' },
      ...Object.fromEntries(columns.map((name) => [name, { type: 'text' as const, nullable: true }])),
    },
  });

const REMEMBERED = [room('name', 'floor')];
const UNKNOWN = [room('name', 'floor', 'smell')];

let directory: string;
let server: RunningPostgres;
const standbys: DataSource[] = [];

/** A server's data as a base backup has it, started with standby.signal: PostgreSQL replays and only reads. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'standby-'));
  const settings = { fsync: 'off', synchronous_commit: 'off' };
  const primary = await startPostgres({ persistent: true, directory, settings });
  const dataSource = await openDataSource(primary.url, REMEMBERED);
  const migrator = new AutoMigrator(dataSource);
  const { outcome, error } = await migrator.heal();
  if (outcome !== 'healed') throw new Error(`${outcome}: ${error}`);
  await dataSource.query(`insert into room (name) values ('blue'); alter table room drop column floor`);
  await dataSource.destroy();
  await primary.stop();
  const data = join(primary.place, 'cluster', 'data');
  const { uid, gid } = await stat(data);
  await writeFile(join(data, 'standby.signal'), '');
  if (process.getuid?.() === 0) await chown(join(data, 'standby.signal'), uid, gid);
  server = await startPostgres({ persistent: true, directory, settings });
});

afterAll(async () => {
  await Promise.all(standbys.filter(({ isInitialized }) => isInitialized).map((each) => each.destroy()));
  await server?.stop();
  await rm(server?.place ?? directory, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

async function migratorOf(entities: EntitySchema[]): Promise<AutoMigrator> {
  const dataSource = await openDataSource(server.url, entities, { installExtensions: false });
  standbys.push(dataSource);
  expect(await dataSource.query('select pg_is_in_recovery() as standby')).toEqual([{ standby: true }]);
  return new AutoMigrator(dataSource);
}

test('a standby is compared with the desired schema that its primary remembered', async () => {
  const migrator = await migratorOf(REMEMBERED);
  const { verdict, error, drift } = await migrator.check();
  expect({ verdict, error }).toEqual({ verdict: 'drift', error: null });
  expect(drift).toMatchObject([{ kind: 'missing-column', object: 'public.room.floor' }]);
});

test('nothing is healed there, and the reason is told', async () => {
  const report = await (await migratorOf(REMEMBERED)).heal();
  expect(report).toMatchObject({ applied: [], failed: [], outcome: 'failed' });
  expect(report.error).toMatch(/read-only transaction|recovery/);
});

test('where nothing is remembered it cannot be compared, and is told what to do', async () => {
  const { verdict, drift, error } = await (await migratorOf(UNKNOWN)).check();
  expect({ verdict, drift }).toEqual({ verdict: 'unknown', drift: [] });
  expect(error).toBe(
    'PostgreSQL cannot build what the entities ask for: cannot execute CREATE SCHEMA in a read-only transaction; the server is a standby or the session only reads, and what these entities ask for is not remembered yet: heal the primary once, or look at it instead. Nothing was compared or changed.',
  );
});
