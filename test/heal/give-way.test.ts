import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { beforeEach, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { HealProgress } from '../../src/heal/heal-progress.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const note = { note: { type: 'text', nullable: true } } as const;
const ENTITIES = [
  new EntitySchema({ name: 'stay', columns: { id: { type: 'integer', primary: true }, ...note } }),
];

interface Maintenance {
  readonly during: string;
  /** SQL that makes what else there is. */
  readonly also?: string;
  readonly entities?: readonly EntitySchema[];
}

/** Each is at work for as long as the test needs, as it sleeps after each page or row. */
const MAINTENANCE: readonly Maintenance[] = [
  { during: 'vacuum stay' },
  // Its sleeps between pages end when it is sent a signal; what it samples is looked at row by row.
  { during: 'analyze stay', also: 'create statistics slowly on (slow(id)) from stay' },
  { during: 'create index concurrently slowly on stay (slow(id))' },
  {
    during: 'vacuum stay while a foreign key is to point to it',
    entities: [
      new EntitySchema({ name: 'stay', columns: { id: { type: 'integer', primary: true } } }),
      new EntitySchema({
        name: 'bill',
        columns: { id: { type: 'integer', primary: true } },
        foreignKeys: [{ target: 'stay', columnNames: ['id'], referencedColumnNames: ['id'] }],
      }),
    ],
  },
  {
    during: 'vacuum stay while the table that it is a partition of is to change',
    also: `create table visit (id integer constraint "PK_visit" primary key) partition by range (id);
      alter table visit attach partition stay for values from (0) to (1000000)`,
    entities: [
      new EntitySchema({ name: 'visit', columns: { id: { type: 'integer', primary: true }, ...note } }),
    ],
  },
];

const AT_WORK = `select pid from pg_locks where relation = 'stay'::regclass and mode = 'ShareUpdateExclusiveLock' and granted`;

const QUEUED = `select from pg_locks where relation = 'stay'::regclass and not granted`;

let database: TestDatabase;
let worker: pg.Client;
let work: Promise<unknown>;

beforeEach(async () => {
  database = await createTestDatabase();
  await database.query(`create table stay (id integer constraint "PK_stay" primary key) with (autovacuum_enabled = false);
    insert into stay select g from generate_series(1, 50000) g;
    create function slow(integer) returns integer immutable language plpgsql as 'begin perform pg_sleep(0.01); return $1; end'`);
  worker = new pg.Client({ connectionString: database.url });
  await worker.connect();
  closeAfter('test', () => worker.end());
});

async function begin(sql: string): Promise<void> {
  await worker.query('set vacuum_cost_delay = 100; set vacuum_cost_limit = 1');
  work = worker.query(sql).catch(() => undefined);
  await vi.waitFor(
    async () => {
      const [at] = await database.query(AT_WORK);
      if (!at) throw new Error('it has not begun yet');
    },
    { timeout: 20_000, interval: 10 },
  );
}

async function end(): Promise<void> {
  await database.query(`select pg_cancel_backend(pid) from (${AT_WORK}) workers`);
  await work;
}

test.each(MAINTENANCE)(
  'nobody queues behind us during $during: the step waits, and says so',
  async ({ during, also, entities = ENTITIES }) => {
    if (also) await database.query(also);
    await begin(during.replace(/ while .*/, ''));
    const migrator = new AutoMigrator(await openDataSource(database.url, [...entities]), {
      execution: 'online',
    });
    const phases: HealProgress['phase'][] = [];
    const healing = migrator.heal({ onProgress: ({ phase }) => phases.push(phase) });
    await vi.waitFor(() => expect(phases).toContainEqual(expect.stringMatching(/^waiting until VACUUM/)), {
      timeout: 20_000,
    });
    for (let look = 0; look < 15; look++) {
      expect(await database.query(QUEUED)).toEqual([]);
      await sleep(100);
    }
    expect(await database.query(AT_WORK)).toHaveLength(1);
    await end();
    expect(await healing).toMatchObject({ outcome: 'healed', failed: [], open: [] });
  },
);

test('a shutdown does not wait for the vacuum', async () => {
  await begin('vacuum stay');
  const migrator = new AutoMigrator(await openDataSource(database.url, ENTITIES), { execution: 'online' });
  const stopping = new AbortController();
  const onProgress = ({ phase }: HealProgress) => {
    if (phase?.startsWith('waiting until VACUUM')) stopping.abort();
  };
  expect(await migrator.heal({ onProgress, signal: stopping.signal })).toMatchObject({
    outcome: 'failed',
    applied: [],
    failed: [{ error: expect.stringContaining('Stopped') as string }],
  });
  expect(await database.query(AT_WORK)).toHaveLength(1);
  await end();
});
