import pg from 'pg';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';
import { CATALOG } from './catalog.js';

const guest = (...columns: string[]): EntitySchema =>
  new EntitySchema({ name: 'guest', columns: notes(columns) });

const notes = (columns: readonly string[]): Record<string, EntitySchemaColumnOptions> => ({
  id: { type: 'integer', primary: true, primaryKeyConstraintName: 'guest_pkey' },
  ...Object.fromEntries(columns.map((name) => [name, { type: 'text', nullable: true } as const])),
});

describe.each<Execution>(['online', 'atomic'])('an undo that PostgreSQL refuses, %s', (execution) => {
  test('is told, tried no more, and keeps nothing else from being done', async () => {
    const database = await createTestDatabase();
    await database.query('create table guest (id integer constraint guest_pkey primary key)');
    const before = await database.query(CATALOG);
    const first = new AutoMigrator(await openDataSource(database.url, [guest('note', 'city')]), {
      execution,
    });
    const { runId } = await first.heal();
    await database.query('create view notes as select note from guest');

    const report = await first.rollback(runId ?? '', 'ada');
    expect(report.outcome).toBe('partly-undone');
    expect(report.applied.map(({ object }) => object)).toEqual(['public.guest.city']);
    expect(report.failed.map(({ object }) => object)).toEqual(['public.guest.note']);
    expect(report.open).toMatchObject([{ object: 'public.guest.note', hazards: ['undecided'] }]);
    expect(report.open[0]?.reason).toMatch(
      /^PostgreSQL has refused it: cannot drop column note .*view public.notes depends on .*Do away with what stands in its way, then undo the run once more, or approve this/s,
    );

    const fixed: string[] = [];
    const next = new AutoMigrator(await openDataSource(database.url, [guest('note', 'city', 'phone')]), {
      execution,
      dataFixes: [{ id: '1', run: () => Promise.resolve(fixed.push('1')) }],
    });
    expect(await next.heal()).toMatchObject({
      failed: [],
      applied: [{ action: 'add column', object: 'public.guest.phone' }],
    });
    expect(fixed).toEqual(['1']);

    await database.query('drop view notes; alter table guest drop column phone');
    expect(await first.rollback(runId ?? '', 'ada')).toMatchObject({ outcome: 'undone', failed: [] });
    expect(await database.query(CATALOG)).toEqual(before);
  });
});

test('an undo that gets no lock is told as failed, what waits for it as not undone, and both are done by the next', async () => {
  const database = await createTestDatabase();
  await database.query('create table visitor (id integer constraint guest_pkey primary key)');
  const before = await database.query(CATALOG);
  const migrator = new AutoMigrator(await openDataSource(database.url, [guest('note')]), {
    execution: 'online',
    renamedFrom: { tables: { guest: ['visitor'] } },
    lockTimeoutMs: 50,
  });
  const { runId } = await migrator.heal();
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  closeAfter('test', () => reader.end());
  await reader.query('begin; select from guest');
  expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({
    outcome: 'failed',
    open: [],
    failed: [{ action: 'undo add column', object: 'public.guest.note' }],
    notUndone: [
      {
        action: 'rename table',
        object: 'public.guest',
        reason: 'it waits for what has failed before it; the next healing tries both',
      },
    ],
  });
  await reader.query('commit');
  expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({ outcome: 'undone' });
  expect(await database.query(CATALOG)).toEqual(before);
});

test('an undo that is approved, and refused all the same, is not tried by the next tick', async () => {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer constraint guest_pkey primary key)');
  const migrator = new AutoMigrator(await openDataSource(database.url, [guest('note')]), {
    execution: 'online',
  });
  const { runId } = await migrator.heal();
  await database.query(`insert into guest values (1, 'x'); create view notes as select note from guest`);
  const { open } = await migrator.rollback(runId ?? '', 'ada');
  await migrator.approve(
    open.map(({ id }) => id),
    'ada',
  );
  expect(await migrator.heal()).toMatchObject({ failed: [{ object: 'public.guest.note' }] });
  const next = await migrator.heal();
  expect(next).toMatchObject({ applied: [], failed: [], open: [{ object: 'public.guest.note' }] });
  expect(next.open[0]?.reason).toMatch(
    /PostgreSQL has refused it: .*; it was approved, and PostgreSQL has refused it all the same$/s,
  );
});

test('an index whose undo is refused, and then approved, is undone once', async () => {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer constraint guest_pkey primary key, note text)');
  const indexed = new EntitySchema({
    name: 'guest',
    columns: notes(['note']),
    indices: [{ name: 'by_note', columns: ['note'] }],
  });
  const migrator = new AutoMigrator(await openDataSource(database.url, [indexed]), { execution: 'online' });
  const { runId } = await migrator.heal();
  await database.query(`create function refuse() returns event_trigger language plpgsql as $$ begin raise 'not now'; end $$;
    create event trigger refuse on sql_drop when tag in ('DROP INDEX') execute function refuse()`);
  const refused = await migrator.rollback(runId ?? '', 'ada');
  expect(refused.open).toMatchObject([{ object: 'public.by_note', hazards: ['undecided'] }]);
  await database.query('drop event trigger refuse');
  await migrator.approve(
    refused.open.map(({ id }) => id),
    'bob',
  );
  expect(await migrator.heal()).toMatchObject({ applied: [{ action: 'undo create index' }], failed: [] });
  const used = await database.query('select used_at is not null as used from auto_migration.approval');
  expect(used).toEqual([{ used: true }]);
});

describe('what was approved after an undo stays, and no undo is left over', () => {
  test.each<
    [
      title: string,
      again: (migrator: AutoMigrator, database: TestDatabase, runId: string) => Promise<unknown>,
    ]
  >([
    [
      'undone twice',
      async (migrator, _database, runId) =>
        expect(await migrator.rollback(runId, 'ada')).toMatchObject({
          outcome: 'nothing-to-do',
          notUndone: [{ object: 'public.guest.note' }],
        }),
    ],
    [
      'asked for once more by a process that died',
      (_migrator, database) => database.query('update auto_migration.undo set done_at = null'),
    ],
  ])('%s', async (_title, again) => {
    const { database, migrator, runId } = await healedGuest();
    await migrator.rollback(runId, 'ada');
    await again(migrator, database, runId);
    const { drift } = await migrator.check();
    await migrator.approve(
      drift.map(({ id }) => id),
      'bob',
    );
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', open: [] });
  });
});

test('what somebody has dropped while its undo was open comes back as something else', async () => {
  const { database, migrator, runId } = await healedGuest();
  await database.query(`insert into guest values (1, 'a note')`);
  expect((await migrator.rollback(runId, 'ada')).open).toMatchObject([{ hazards: ['data-loss'] }]);
  await database.query('alter table guest drop column note');
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', applied: [{ action: 'add column' }] });
  expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', open: [] });
});

async function healedGuest(): Promise<{ database: TestDatabase; migrator: AutoMigrator; runId: string }> {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer constraint guest_pkey primary key)');
  const migrator = new AutoMigrator(await openDataSource(database.url, [guest('note')]), {
    execution: 'online',
  });
  const { runId } = await migrator.heal();
  return { database, migrator, runId: runId ?? '' };
}
