import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { DriftKind } from '../../src/drift/drift-kind.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';
import { createTestRole } from '../setup/role.js';

const id = { type: 'integer', primary: true, primaryKeyConstraintName: 'stay_pkey' } as const;

/** The role owns `stay`, which points into a schema that it may not look into, while some other table is being vacuumed. */
async function situation(columns: object): Promise<AutoMigrator> {
  const database = await createTestDatabase();
  const { role, url } = await createTestRole(database);
  const name = new URL(database.url).pathname.slice(1);
  await database.query(`create schema vault; create table vault.key (id integer primary key); create table busy (id integer);
    create table stay (id integer constraint stay_pkey primary key, key_id varchar(5), key integer constraint stay_key references vault.key);
    grant create on database ${name} to ${role}; alter schema public owner to ${role};
    alter table stay owner to ${role}; alter table busy owner to ${role}`);
  const vacuum = new pg.Client({ connectionString: database.url });
  await vacuum.connect();
  closeAfter('test', () => vacuum.end());
  await vacuum.query('begin; lock table busy in share update exclusive mode');
  const stay = new EntitySchema({ name: 'stay', columns: { id, ...columns } });
  const options = { execution: 'online' } as const;
  return new AutoMigrator(await openDataSource(url, [stay]), options);
}

test.each<[DriftKind, object, string]>([
  [
    'extra-constraint',
    { key_id: { type: 'varchar', length: 5, nullable: true }, key: { type: 'integer', nullable: true } },
    'drop constraint',
  ],
  ['extra-column', { key_id: { type: 'varchar', length: 5, nullable: true } }, 'drop column'],
])(
  '%s: what points into a schema that the role may not use is dropped as before',
  async (kind, columns, action) => {
    const migrator = await situation(columns);
    const { drift } = await migrator.check();
    await migrator.approve(
      drift.filter((each) => each.kind === kind).map((each) => each.id),
      'ada',
    );
    const report = await migrator.heal();
    expect(report.failed).toEqual([]);
    expect(report.applied).toMatchObject([{ action }]);
  },
);

test('nobody queues behind us while an autovacuum is at work on the values of a table that are stored apart', async () => {
  const database = await createTestDatabase();
  await database.query(`create table stay (id integer constraint "PK_stay" primary key, stars smallint, note text) with (autovacuum_enabled = false, toast.autovacuum_enabled = false);
    alter table stay alter note set storage external;
    insert into stay select g, 1, repeat('x', 20000) from generate_series(1, 300) g`);
  const [row] = await database.query<{ toast: string }>(
    `select reltoastrelid::regclass::text as toast from pg_class where oid = 'stay'::regclass`,
  );
  const worker = new pg.Client({ connectionString: database.url });
  await worker.connect();
  closeAfter('test', () => worker.end());
  await worker.query('set vacuum_cost_delay = 100; set vacuum_cost_limit = 1');
  // As an autovacuum does, which takes the table and what is stored apart each for itself.
  const work = worker.query(`vacuum ${row?.toast}`).catch(() => undefined);
  const atWork = `select pid from pg_locks where relation = '${row?.toast}'::regclass and mode = 'ShareUpdateExclusiveLock' and granted`;
  await vi.waitFor(async () => expect(await database.query(atWork)).toHaveLength(1), {
    timeout: 20_000,
    interval: 10,
  });
  const entity = new EntitySchema({
    name: 'stay',
    columns: {
      id: { type: 'integer', primary: true },
      stars: { type: 'integer', nullable: true },
      note: { type: 'text', nullable: true },
    },
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [entity]), { execution: 'online' });
  const healing = migrator.heal();
  const queued: object[] = [];
  for (let look = 0; look < 30; look++) {
    queued.push(
      ...(await database.query(`select relation::regclass::text, mode from pg_locks where not granted
            and database = (select oid from pg_database where datname = current_database())`)),
    );
    await sleep(50);
  }
  expect(await database.query(atWork)).toHaveLength(1);
  await database.query(`select pg_cancel_backend(pid) from (${atWork}) workers`);
  await work;
  const report = await healing;
  expect(queued).toEqual([]);
  expect(report).toMatchObject({ outcome: 'healed', failed: [] });
});
