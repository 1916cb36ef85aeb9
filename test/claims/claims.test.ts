import pg from 'pg';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

type Columns = Record<string, EntitySchemaColumnOptions>;

const room = (columns: Columns = {}): EntitySchema =>
  new EntitySchema({ name: 'room', columns: { id: { type: 'integer', primary: true }, ...columns } });

const garden = new EntitySchema({ name: 'garden', columns: { id: { type: 'integer', primary: true } } });

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

async function release(
  entities: EntitySchema[],
  options: AutoMigratorOptions = {},
  extra: object = {},
): Promise<AutoMigrator> {
  const dataSource = await openDataSource(database.url, entities, { extra });
  return new AutoMigrator(dataSource, { execution: 'online', contractAfterMs: 60_000, ...options });
}

/** As the first release has it. */
const ROOM = 'create table room (id integer constraint "PK_c6d46db005d623e691b2fbcba23" primary key)';

/** Heals, for all that others can see, until it is told to let go. */
async function holdTheLock(): Promise<() => Promise<void>> {
  const healer = new pg.Client({ connectionString: database.url });
  await healer.connect();
  await healer.query(`select pg_advisory_lock(1634560359, hashtext('auto_migration'))`);
  return () => healer.end();
}

const boot = { trigger: 'bootstrap' } as const;
const tick = { trigger: 'cron' } as const;

interface ClaimRow {
  readonly hash: string;
  readonly seen: Date;
}

const claims = (): Promise<ClaimRow[]> =>
  database.query<ClaimRow & Record<string, unknown>>(
    'select desired_hash as hash, last_seen_at as seen from auto_migration.claim order by id',
  );

/** That the processes of all releases but the newest were last seen so long ago. */
const ago = (seconds: number): Promise<unknown> =>
  database.query(
    `update auto_migration.claim set last_seen_at = clock_timestamp() - make_interval(secs => $1)
      where id < (select max(id) from auto_migration.claim)`,
    [seconds],
  );

const columnsOf = async (table: string): Promise<unknown[]> =>
  (
    await database.query(
      'select column_name as name from information_schema.columns where table_name = $1 order by 1',
      [table],
    )
  ).map(({ name }) => name);

describe('the database is claimed', () => {
  test('once by all processes of a release that start, also by those that find nothing to do', async () => {
    for (const outcome of ['healed', 'nothing-to-do', 'nothing-to-do'])
      expect(await (await release([room()])).heal(boot)).toMatchObject({
        outcome,
        error: null,
        warnings: [],
      });
    expect(await claims()).toHaveLength(1);
  });

  test('by a release that has never had anything to heal', async () => {
    await database.query(ROOM);
    expect(await (await release([room()])).heal(boot)).toMatchObject({
      outcome: 'nothing-to-do',
      error: null,
    });
    expect(await claims()).toHaveLength(1);
  });

  test('anew by a release that is rolled back to', async () => {
    const [old, next] = [await release([room()]), await release([room({ floor: { type: 'integer' } })])];
    await old.heal(boot);
    await next.heal(boot);
    await (await release([room()])).heal(boot);
    const hashes = (await claims()).map(({ hash }) => hash);
    expect(hashes).toEqual([hashes[0], hashes[1], hashes[0]]);
    expect(hashes[0]).not.toBe(hashes[1]);
    // Who was there before the newer release came and went leads, too.
    expect(await old.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', leader: null });
    expect(await next.heal(tick)).toMatchObject({
      outcome: 'superseded',
      leader: { desiredHash: hashes[0] },
    });
  });

  test.each<[title: string, heal: () => Promise<unknown>]>([
    ["under policy 'off'", async () => (await release([room()], { policy: 'off' })).heal(boot)],
    ['by a check', async () => (await release([room()])).check()],
  ])('not %s', async (_title, look) => {
    await (await release([garden])).heal(boot);
    const before = await claims();
    await look();
    expect(await claims()).toEqual(before);
  });

  test('by a command or a call, too', async () => {
    for (const trigger of ['cli', 'api'] as const)
      await (await release([room({ [trigger]: { type: 'integer' } })])).heal({ trigger });
    expect(await claims()).toHaveLength(2);
  });

  test('at a tick by a process that could not at its start, as another one was healing', async () => {
    await database.query(ROOM);
    const free = await holdTheLock();
    const migrator = await release([room()]);
    await migrator.heal(boot);
    expect(await database.query(`select to_regnamespace('auto_migration') as journal`)).toEqual([
      { journal: null },
    ]);
    await free();
    await migrator.heal(tick);
    expect(await claims()).toHaveLength(1);
  });
});

test('a tick with nothing to do asks two statements, and shows that the release is there', async () => {
  const dataSource = await openDataSource(database.url, [room()]);
  const migrator = new AutoMigrator(dataSource);
  await migrator.heal(boot);
  const [before] = await claims();
  const asked = vi.spyOn(dataSource, 'query');
  expect(await migrator.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', open: [] });
  // The fingerprint with what somebody has decided, and the claim.
  expect(asked).toHaveBeenCalledTimes(2);
  const [after] = await claims();
  expect(after?.seen.getTime()).toBeGreaterThan(before?.seen.getTime() ?? Infinity);
});

describe('a release that is superseded', () => {
  let old: AutoMigrator;
  let next: AutoMigrator;

  beforeEach(async () => {
    old = await release([room({ floor: { type: 'integer', default: 1 } })]);
    next = await release([room({ floor: { type: 'integer', default: 2 } })]);
    await old.heal(boot);
    await next.heal(boot);
  });

  test('watches, heals nothing, and says who leads', async () => {
    const [mine, theirs] = await claims();
    const report = await old.heal(tick);
    expect(report).toMatchObject({
      outcome: 'superseded',
      leader: { desiredHash: theirs?.hash },
      applied: [],
      error: null,
    });
    expect(report.open).toMatchObject([{ kind: 'different-default', desired: '1', actual: '2' }]);
    const [seen] = await claims();
    expect(seen?.seen.getTime()).toBeGreaterThan(mine?.seen.getTime() ?? Infinity);
    expect(await next.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', open: [], leader: null });
  });

  test('does not heal either when it learns of it while it waits for the lock', async () => {
    // It looks and leads; then the other one starts, heals and is done before it comes to heal.
    const [first, last] = [await release([room({ floor: { type: 'integer', default: 3 } })]), old];
    await last.heal(boot);
    await database.query('alter table room alter floor set default 7');
    const free = await holdTheLock();
    let healing: Promise<HealReport> | undefined;
    await new Promise<unknown>((onWait) => {
      healing = last.heal({ ...tick, onWait });
    });
    const starting = first.heal(boot);
    await vi.waitFor(async () => expect(await claims()).toHaveLength(4), 10_000);
    await free();
    expect(await starting).toMatchObject({ outcome: 'healed' });
    expect(await healing).toMatchObject({ outcome: 'superseded', applied: [] });
  });

  test('leads again once nobody of the other one was seen for contractAfterMs', async () => {
    await database.query(
      `update auto_migration.claim set last_seen_at = clock_timestamp() - interval '61 s'`,
    );
    expect(await old.heal(tick)).toMatchObject({ outcome: 'healed', leader: null });
    expect(await claims()).toHaveLength(3);
    // It was only asleep.
    expect(await next.heal(tick)).toMatchObject({ outcome: 'superseded' });
  });
});

test('applications that share a database but no table do not supersede each other', async () => {
  const [one, other] = [await release([room()]), await release([garden])];
  await one.heal(boot);
  await other.heal(boot);
  await database.query('drop table room; drop table garden');
  expect(await one.heal(tick)).toMatchObject({ outcome: 'healed', leader: null });
  expect(await other.heal(tick)).toMatchObject({ outcome: 'healed', leader: null });
});

describe('what would break the inserts of an older release', () => {
  /** What the older one has, what the newer one wants, and the finding that waits. */
  const cases: [title: string, before: Columns, after: Columns, finding: object][] = [
    [
      'a new column that has to be filled',
      {},
      { floor: { type: 'integer' } },
      { kind: 'different-nullability', object: 'public.room.floor' },
    ],
    [
      'a column that has to be filled from now on',
      { floor: { type: 'integer', nullable: true } },
      { floor: { type: 'integer' } },
      { kind: 'different-nullability', object: 'public.room.floor' },
    ],
    [
      'a default that is gone',
      { floor: { type: 'integer', default: 1 } },
      { floor: { type: 'integer' } },
      { kind: 'different-default', object: 'public.room.floor' },
    ],
  ];

  test.each(cases)('waits until it is gone: %s', async (_title, before, after, finding) => {
    const old = await release([room(before)]);
    await old.heal(boot);
    const next = await release([room(after)]);
    const [mine] = await claims();
    const report = await next.heal(boot);
    expect(report.open).toMatchObject([{ ...finding, disposition: 'open', hazards: ['older-release'] }]);
    expect(report.open[0]?.reason).toMatch(
      new RegExp(
        `^it would break release ${mine?.hash.slice(0, 12)} \\(since 2.*Z\\), whose processes were seen at 2.*Z; if none is seen again, it counts as gone at 2.*Z$`,
      ),
    );
    expect(await columnsOf('room')).toEqual(['floor', 'id']);
    await database.query('insert into room (id) values (1); delete from room');

    // It shows itself, and it waits on.
    await ago(59);
    await old.heal(tick);
    await ago(1);
    expect(await next.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', open: [finding] });

    await ago(61);
    expect(await next.heal(tick)).toMatchObject({ outcome: 'healed', open: [] });
    await expect(database.query('insert into room (id) values (2)')).rejects.toThrow('not-null');
  });

  test.each<[string, Columns]>([
    ['with a default', { floor: { type: 'integer', default: 1 } }],
    ['that may be NULL', { floor: { type: 'integer', nullable: true } }],
  ])('is not a new column %s', async (_title, after) => {
    await (await release([room()])).heal(boot);
    expect(await (await release([room(after)])).heal(boot)).toMatchObject({ outcome: 'healed', open: [] });
  });

  test('waits for nobody where there is no older release', async () => {
    await database.query('create table room (id integer primary key)');
    const report = await (await release([room({ floor: { type: 'integer' } })])).heal(boot);
    expect(report).toMatchObject({ outcome: 'healed', open: [] });
  });

  test('is told from what needs a person, which comes first', async () => {
    await (await release([room()])).heal(boot);
    await database.query('insert into room (id) values (1)');
    const report = await (await release([room({ floor: { type: 'integer' } })])).heal(boot);
    expect(report.open).toMatchObject([{ hazards: ['older-release', 'violated'] }]);
  });
});

test('what an older release inserts without a column is filled once more when it has gone, and never again', async () => {
  const floor = { floor: { type: 'text', nullable: true } } as const;
  const backfills = [{ table: 'room', column: 'floor', expression: `'ground'` }];
  const next = await release([room(floor)], { backfills });
  await (await release([room()])).heal(boot);
  await database.query('insert into room values (1)');
  expect(await next.heal(boot)).toMatchObject({ outcome: 'healed', open: [] });
  await database.query('insert into room values (2)');
  for (const _ of [1, 2]) expect(await next.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', open: [] });
  await ago(120);
  expect(await next.heal(tick)).toMatchObject({ outcome: 'healed', open: [] });
  await database.query('insert into room values (3)');
  for (const _ of [1, 2]) expect(await next.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', open: [] });
  expect(await database.query('select id, floor from room order by id')).toEqual([
    { id: 1, floor: 'ground' },
    { id: 2, floor: 'ground' },
    { id: 3, floor: null },
  ]);
});

describe('a role that may not write the journal', () => {
  test('has no claims, and no error of them', async () => {
    await (await release([room()])).heal(boot);
    const role = `clerk_${Math.random().toString(36).slice(2)}`;
    await database.query(`create role ${role} login; grant usage on schema auto_migration to ${role};
      grant select on all tables in schema auto_migration to ${role}`);
    try {
      const clerk = await release([room()], {}, { options: `-c role=${role}` });
      expect(await clerk.heal(boot)).toMatchObject({ outcome: 'nothing-to-do', error: null });
      expect(await clerk.heal(tick)).toMatchObject({ outcome: 'nothing-to-do', error: null, leader: null });
      expect(await claims()).toHaveLength(1);
    } finally {
      await database.query(`drop owned by ${role}; drop role ${role}`);
    }
  });
});
