import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { CATALOG } from './catalog.js';

/** A run that gives a table and a column other names, and does more under these. */
interface Case {
  readonly title: string;
  readonly before: string;
  /** What comes between the healing and the undo. */
  readonly since: string;
  /** The beginnings of the reasons. */
  readonly open: readonly (readonly [object: string, reason: RegExp])[];
  /** What lets the rest be taken back: by hand, and by an approval of what is open. */
  readonly mended: string;
}

const PLAIN = `create table elevator (id integer constraint elevator_pkey primary key, old varchar(5));
  insert into elevator values (1, 'a')`;
const PARTITIONED = `create table elevator (id integer constraint elevator_pkey primary key, old varchar(5))
    partition by range (id);
  create table elevator_1 partition of elevator for values from (1) to (9);
  insert into elevator values (1, 'a')`;

const TABLE_WAITS = [
  'public.lift',
  /^public.lift.note is to be taken back before it, and stays open$/,
] as const;
const NOTE_HOLDS_A_VALUE = ['public.lift.note', /^undoing it would lose 1 value, written since/] as const;

const CASES: Case[] = [
  {
    title: 'a column holds values',
    before: PLAIN,
    since: `update lift set note = 'written'`,
    open: [NOTE_HOLDS_A_VALUE, TABLE_WAITS],
    mended: 'select',
  },
  {
    title: 'a column of a partitioned table holds values',
    before: PARTITIONED,
    since: `update lift set note = 'written'`,
    open: [NOTE_HOLDS_A_VALUE, TABLE_WAITS],
    mended: 'select',
  },
  {
    title: 'a view stands on a column, so that PostgreSQL refuses to drop it',
    before: PLAIN,
    since: 'create view notes as select note from lift',
    open: [
      [
        'public.lift.note',
        /^PostgreSQL has refused it: cannot drop column note .*view public.notes depends on/s,
      ],
      TABLE_WAITS,
    ],
    mended: 'drop view notes',
  },
  {
    title: 'values do not fit the former type of a renamed column',
    before: PLAIN,
    since: `update lift set code = 'abcdefg'`,
    open: [
      ['public.lift.code', /^undoing it would lose 1 value that would change, written since/],
      ['public.lift.code', /^public.lift.code is to be taken back before it/],
      ['public.lift', /^public.lift.code is to be taken back before it/],
    ],
    mended: 'select',
  },
];

async function migratorOf({ url }: TestDatabase, execution: Execution): Promise<AutoMigrator> {
  const lift = new EntitySchema({
    name: 'lift',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'lift_pkey' },
      code: { type: 'varchar', length: 9, nullable: true },
      note: { type: 'text', nullable: true },
    },
  });
  const renamedFrom = { tables: { lift: ['elevator'] }, columns: { 'lift.code': ['old'] } };
  return new AutoMigrator(await openDataSource(url, [lift]), { execution, renamedFrom });
}

describe.each<Execution>(['online', 'atomic'])(
  'a name goes back after all that was done under it, %s',
  (execution) => {
    test.each(CASES)('$title', async ({ before, since, open, mended }) => {
      const database = await createTestDatabase();
      await database.query(before);
      const catalog = await database.query(CATALOG);
      const migrator = await migratorOf(database, execution);
      const { runId } = await migrator.heal();
      await database.query(since);

      const report = await migrator.rollback(runId ?? '', 'ada');
      expect(report).toMatchObject({ outcome: 'partly-undone', error: null });
      expect(report.open).toMatchObject(
        open.map(([object, reason]) => ({ object, reason: expect.stringMatching(reason) as string })),
      );
      expect(await migrator.heal()).toMatchObject({ applied: [], failed: [] });

      await database.query(mended);
      const { drift } = await migrator.check();
      const undos = drift.filter(({ kind }) => kind === 'undo').map(({ id }) => id);
      await migrator.approve(undos, 'bob');
      expect(await migrator.heal()).toMatchObject({ failed: [] });
      expect(await database.query(CATALOG)).toEqual(catalog);
      expect(await migrator.heal()).toMatchObject({ applied: [], failed: [] });
    });

    test('and once it has, there is nothing to take back', async () => {
      const database = await createTestDatabase();
      await database.query(PLAIN);
      const catalog = await database.query(CATALOG);
      const migrator = await migratorOf(database, execution);
      const { runId } = await migrator.heal();
      expect(await migrator.rollback(runId ?? '', 'ada')).toMatchObject({ outcome: 'undone', open: [] });
      const again = await migrator.rollback(runId ?? '', 'ada');
      expect(again).toMatchObject({ outcome: 'nothing-to-do', open: [], failed: [], error: null });
      expect(again.notUndone).not.toEqual([]);
      const { drift } = await migrator.check();
      expect(drift.filter(({ kind }) => kind === 'undo')).toEqual([]);
      expect(await database.query(CATALOG)).toEqual(catalog);
    });
  },
);
