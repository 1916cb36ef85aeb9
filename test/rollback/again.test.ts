import { EntitySchema, type EntitySchemaOptions } from 'typeorm';
import { expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

type Options = EntitySchemaOptions<Record<string, unknown>>;

/** One thing that a run does, and how somebody may have taken it back by hand. */
interface Case {
  readonly title: string;
  readonly legacy?: string;
  readonly entity: Partial<Options>;
  readonly options?: AutoMigratorOptions;
  readonly byHand: string;
}

const ID = { type: 'integer', primary: true, primaryKeyConstraintName: 'lift_pkey' } as const;
const LIFT = 'create table lift (id integer constraint lift_pkey primary key, code text)';
const CODE = { type: 'text', nullable: true } as const;

const CASES: Case[] = [
  {
    title: 'a renamed table',
    legacy: 'create table elevator (id integer constraint lift_pkey primary key, code text)',
    entity: {},
    options: { renamedFrom: { tables: { lift: ['elevator'] } } },
    byHand: 'alter table lift rename to elevator',
  },
  {
    title: 'a renamed column',
    legacy: 'create table lift (id integer constraint lift_pkey primary key, old text)',
    entity: {},
    options: { renamedFrom: { columns: { 'lift.code': ['old'] } } },
    byHand: 'alter table lift rename code to old',
  },
  {
    title: 'a renamed constraint',
    legacy: `${LIFT}; alter table lift add constraint other check (id > 0)`,
    entity: { checks: [{ name: 'positive', expression: 'id > 0' }] },
    options: { names: 'align' },
    byHand: 'alter table lift rename constraint positive to other',
  },
  {
    title: 'a renamed index',
    legacy: `${LIFT}; create index other on lift (code)`,
    entity: { indices: [{ name: 'by_code', columns: ['code'] }] },
    options: { names: 'align' },
    byHand: 'alter index by_code rename to other',
  },
  {
    title: 'a renamed enum',
    legacy: `create type elevator_code_enum as enum ('in', 'out');
      create table elevator (id integer constraint lift_pkey primary key, code elevator_code_enum)`,
    entity: { columns: { id: ID, code: { type: 'enum', enum: ['in', 'out'], nullable: true } } },
    options: { renamedFrom: { tables: { lift: ['elevator'] } } },
    byHand: 'alter type lift_code_enum rename to elevator_code_enum; alter table lift rename to elevator',
  },
  {
    title: 'a new index',
    entity: { indices: [{ name: 'by_code', columns: ['code'] }] },
    byHand: 'drop index by_code',
  },
  {
    title: 'a new constraint',
    entity: { checks: [{ name: 'positive', expression: 'id > 0' }] },
    byHand: 'alter table lift drop constraint positive',
  },
  {
    title: 'a new schema',
    entity: { name: 'Lift', tableName: 'lift', schema: 'hotel' },
    byHand: 'drop table hotel.lift; drop schema hotel',
  },
  {
    title: 'a new enum',
    entity: { columns: { id: ID, code: CODE, state: { type: 'enum', enum: ['in'], nullable: true } } },
    byHand: 'alter table lift drop state; drop type lift_state_enum',
  },
  {
    title: 'a new default',
    entity: { columns: { id: ID, code: { ...CODE, default: 'a' } } },
    byHand: 'alter table lift alter code drop default',
  },
  {
    title: 'a new comment',
    entity: { columns: { id: ID, code: { ...CODE, comment: 'for the guest' } } },
    byHand: 'comment on column lift.code is null',
  },
];

async function healed({ legacy = LIFT, entity, options = {} }: Case) {
  const database = await createTestDatabase();
  await database.query(legacy);
  const lift = new EntitySchema<Record<string, unknown>>({
    name: 'lift',
    columns: { id: ID, code: CODE },
    ...entity,
  });
  const dataSource = await openDataSource(database.url, [lift]);
  const migrator = new AutoMigrator(dataSource, { execution: 'online', ...options });
  const report = await migrator.heal();
  expect(report).toMatchObject({ outcome: 'healed', failed: [] });
  return { database, migrator, runId: report.runId ?? '' };
}

async function undosOf(migrator: AutoMigrator) {
  const { drift } = await migrator.check();
  return drift.filter(({ kind }) => kind === 'undo');
}

test.each(CASES)('$title is taken back once', async (each) => {
  const { migrator, runId } = await healed(each);
  expect(await migrator.rollback(runId, 'ada')).toMatchObject({ failed: [], error: null });
  const again = await migrator.rollback(runId, 'ada');
  expect(again).toMatchObject({ outcome: 'nothing-to-do', applied: [], failed: [], open: [], error: null });
  expect(again.notUndone.map(({ reason }) => reason)).toContain('it was taken back before');
  expect(await undosOf(migrator)).toEqual([]);
});

test.each(CASES)('$title that somebody has taken back by hand leaves nothing open', async (each) => {
  const { database, migrator, runId } = await healed(each);
  await database.query(each.byHand);
  const report = await migrator.rollback(runId, 'ada');
  expect(report).toMatchObject({ failed: [], open: [], error: null });
  expect(await undosOf(migrator)).toEqual([]);
});

interface Mistake {
  readonly title: string;
  readonly legacy: string;
  readonly first: Partial<Options>;
  /** What the first run is asked to be taken back with. */
  readonly mistaken: { readonly entity: Partial<Options>; readonly options: AutoMigratorOptions };
  /** What has to come before. */
  readonly hasToComeFirst: 'its run' | 'nothing';
}

const NOTE = { columns: { id: ID, code: CODE, note: CODE } };

const MISTAKES: Mistake[] = [
  {
    title: 'before a later run that has renamed the table',
    legacy: LIFT,
    first: { ...NOTE, name: 'Lift', tableName: 'lift' },
    mistaken: {
      entity: { ...NOTE, name: 'Elevator', tableName: 'elevator' },
      options: { renamedFrom: { tables: { elevator: ['lift'] } } },
    },
    hasToComeFirst: 'its run',
  },
  {
    title: 'before a later run that has renamed the column',
    legacy: LIFT,
    first: NOTE,
    mistaken: {
      entity: { columns: { id: ID, code: CODE, remark: CODE } },
      options: { renamedFrom: { columns: { 'lift.remark': ['note'] } } },
    },
    hasToComeFirst: 'its run',
  },
  {
    title: 'by somebody who looks at other schemas',
    legacy: LIFT,
    first: NOTE,
    mistaken: { entity: NOTE, options: { schemas: ['pg_catalog'] } },
    hasToComeFirst: 'nothing',
  },
];

test.each(MISTAKES)('a step that is not found $title is taken back when it is', async (each) => {
  const { legacy, first, mistaken, hasToComeFirst } = each;
  const { database, migrator, runId } = await healed({ title: '', legacy, entity: first, byHand: '' });
  await database.query(
    `update auto_migration.claim set last_seen_at = clock_timestamp() - interval '1 hour'`,
  );
  const lift = new EntitySchema<Record<string, unknown>>({ name: 'lift', columns: {}, ...mistaken.entity });
  const dataSource = await openDataSource(database.url, [lift]);
  const later = new AutoMigrator(dataSource, { execution: 'online', ...mistaken.options });
  const healing = hasToComeFirst === 'nothing' ? null : await later.heal();
  expect(await later.rollback(runId, 'ada')).toMatchObject({
    outcome: 'nothing-to-do',
    open: [],
    failed: [],
  });
  const undone = healing ? [(await later.rollback(healing.runId ?? '', 'ada')).outcome] : [];
  expect(undone).toEqual(hasToComeFirst === 'nothing' ? [] : ['undone']);
  const report = await migrator.rollback(runId, 'ada');
  expect(report.applied.map(({ action }) => action)).toEqual(['undo add column']);
});

test('an undo that waits for its approval is closed by nobody who looks elsewhere', async () => {
  const database = await createTestDatabase();
  await database.query(`create schema one; create schema other;
    create table one.lift (id integer constraint lift_pkey primary key);
    create table other.lift (id integer constraint lift_pkey primary key); insert into one.lift values (1)`);
  const migratorOf = async (schema: string): Promise<AutoMigrator> => {
    const lift = new EntitySchema<Record<string, unknown>>({
      name: 'lift',
      schema,
      columns: { id: ID, code: CODE },
    });
    return new AutoMigrator(await openDataSource(database.url, [lift]), { execution: 'online' });
  };
  const migrator = await migratorOf('one');
  const { runId } = await migrator.heal();
  await database.query(`update one.lift set code = 'x'`);
  expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({ open: [{ object: 'one.lift.code' }] });
  expect(await (await migratorOf('other')).heal()).toMatchObject({ outcome: 'healed' });
  expect(await undosOf(migrator)).toMatchObject([{ object: 'one.lift.code', disposition: 'open' }]);
});
