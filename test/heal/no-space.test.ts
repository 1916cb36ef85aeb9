import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { serverAccount } from '../../tools/embedded-postgres/account.mjs';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true } as const;
const text = { type: 'text', nullable: true } as const;

/** `pet` is healed whatever becomes of the others. */
const ENTITIES = [
  new EntitySchema({ name: 'pet', columns: { id } }),
  new EntitySchema({
    name: 'guest',
    columns: { id, name: text, nick: text, note: text },
    indices: [{ name: 'guest_name', columns: ['name'] }],
  }),
];

const backfills = [{ table: 'guest', column: 'nick', expression: 'name', pauseMs: 0 }];

const ROWS = 20_000;

/** Some MB, as a limit is noticed where a file has to grow. */
const LEGACY = `create table guest (id integer primary key, name text, nick text);
  insert into guest select g, md5(g::text) || md5((-g)::text) from generate_series(1, ${ROWS}) g`;

interface Shortage {
  readonly title: string;
  /** SQL that makes it, and that ends it; in the database, of which `$database` is the name. */
  readonly begins: string;
  readonly ends: string;
  /** What is left open for it, and what is told. */
  readonly object: string;
  readonly error: RegExp;
  /** What is told that has become of it. */
  readonly left: RegExp;
}

const full = (
  when: string,
): string => `create function full_disk() returns ${when} language plpgsql as $$ begin
    raise 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$`;

const SHORTAGES: Shortage[] = [
  {
    title: 'while a column is added',
    begins: `${full('event_trigger')}; create event trigger full_disk on ddl_command_end when tag in ('ALTER TABLE') execute function full_disk()`,
    ends: 'drop event trigger full_disk; drop function full_disk',
    object: 'public.guest.note',
    error: /No space left on device/,
    left: /Rolled back: public\.guest stays as it was$/,
  },
  {
    title: 'while rows are filled',
    begins: `${full('trigger')}; create trigger full_disk before update on guest for each row when (new.id > 5000) execute function full_disk()`,
    ends: 'drop function full_disk cascade',
    object: 'public.guest.nick',
    error: /No space left on device/,
    left: /What was filled stays, the rest is NULL$/,
  },
  {
    title: 'for the temporary files of an index build',
    begins: `alter database $database set temp_file_limit = '64kB'; alter database $database set maintenance_work_mem = '1MB'`,
    ends: 'alter database $database reset all',
    object: 'public.guest_name',
    error: /temporary file size exceeds "?temp_file_limit"? \(64kB\)/,
    left: /Rolled back: public\.guest stays as it was$/,
  },
];

/** Everything else is healed, nothing half done stays, and the reason is told; once there is space the rest follows. */
async function expectOneLeft(
  database: TestDatabase,
  migrator: AutoMigrator,
  { object, error, left }: Pick<Shortage, 'object' | 'error' | 'left'>,
): Promise<void> {
  const report: HealReport = await migrator.heal();
  expect(report).toMatchObject({ outcome: 'partly-healed', error: null });
  expect(report.failed.map((step) => step.object)).toEqual([object]);
  expect(report.failed[0]?.error).toMatch(error);
  expect(report.failed[0]?.error).toMatch(left);
  const open = report.open.find((each) => each.object === object);
  expect(open).toMatchObject({ disposition: 'open', reason: expect.stringMatching(error) as string });
  expect(await database.query(`select to_regclass('pet') is not null as pet`)).toEqual([{ pet: true }]);
  expect(await database.query('select indexrelid::regclass from pg_index where not indisvalid')).toEqual([]);
  const [run] = await migrator.history();
  const failed = run?.steps.filter(({ outcome }) => outcome === 'failed');
  expect(failed).toMatchObject([{ object, error: expect.stringMatching(error) as string }]);
}

/** Once there is space. */
async function healTheRest(database: TestDatabase, migrator: AutoMigrator): Promise<object> {
  const { outcome, open, failed, error } = await migrator.heal();
  const [filled] = await database.query('select count(*)::int as rows from guest where nick = name');
  return { outcome, open, failed, error, ...filled };
}

const HEALED = { outcome: 'healed', open: [], failed: [], error: null, rows: ROWS };

describe.concurrent('where there is no space left', () => {
  test.each(SHORTAGES)('$title', async ({ begins, ends, ...expected }) => {
    const database = await createTestDatabase();
    const own = new URL(database.url).pathname.slice(1);
    await database.query(`${LEGACY}; ${begins.replaceAll('$database', own)}`);
    const dataSource = await openDataSource(database.url, ENTITIES);
    const migrator = new AutoMigrator(dataSource, { execution: 'online', backfills });
    await expectOneLeft(database, migrator, expected);
    await database.query(ends.replaceAll('$database', own));
    expect(await healTheRest(database, migrator)).toEqual(HEALED);
  });
});

/** A file system of some MB, for a tablespace: only root can make one, and not everywhere. */
function mountSmall(): string | undefined {
  if (process.getuid?.() !== 0 || process.env['TEST_DATABASE_URL']) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tablespace-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]).status === 0) return folder;
  rmdirSync(folder);
  return undefined;
}

const small = mountSmall();
if (small === undefined) console.warn('No file system can be mounted here: a full one is not tested');

describe.skipIf(small === undefined)('on a file system that is really full', () => {
  const folder = small ?? '';
  const name = `small_${process.pid}`;
  let database: TestDatabase;

  beforeAll(async () => {
    const account = await serverAccount('');
    if (account) chownSync(folder, account.uid, account.gid);
    database = await createTestDatabase();
    await database.query(`create tablespace ${name} location '${folder}'`);
  });

  afterAll(async () => {
    await database.query(
      'drop table if exists guest, filler, pet; drop schema if exists auto_migration cascade',
    );
    await database.query(`drop tablespace ${name}`);
    spawnSync('umount', [folder]);
    rmdirSync(folder);
  });

  test('an index that does not fit is taken away, and built once it does', async () => {
    await database.query(`${LEGACY}; create table filler (x text) tablespace ${name}`);
    await database.query(`insert into filler select repeat('x', 1900) from generate_series(1, 1200)`);
    const dataSource = await openDataSource(database.url, ENTITIES, {
      extra: { options: `-c default_tablespace=${name}` },
    });
    const migrator = new AutoMigrator(dataSource, { execution: 'online', backfills });
    const [error, left] = [/No space left on device/, /Rolled back: public\.guest stays as it was$/];
    await expectOneLeft(database, migrator, { object: 'public.guest_name', error, left });
    await database.query('drop table filler');
    expect(await healTheRest(database, migrator)).toEqual(HEALED);
  });
});
