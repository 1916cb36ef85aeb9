import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { BackfillOptions } from '../../src/desired/backfill-options.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** A column that is to be NOT NULL, and whose backfill has no value for some rows. */
interface Case {
  readonly title: string;
  readonly legacy: string;
  readonly code?: Partial<EntitySchemaColumnOptions>;
  readonly options?: BackfillOptions;
  /** Of each finding that is left, by its kind. */
  readonly open: Readonly<Record<string, string>>;
}

const ROOM = `create table room (id integer constraint room_pkey primary key, name text);
  insert into room values (1, 'a'), (2, null), (3, 'c');`;

const CASES: Case[] = [
  {
    title: 'a new column, NULL for one row',
    legacy: ROOM,
    open: { 'different-nullability': 'its backfill leaves NULL in 1 row' },
  },
  {
    title: 'a new column, of which some rows are not to be filled',
    legacy: ROOM,
    options: { where: 'id = 1' },
    open: { 'different-nullability': 'its backfill leaves NULL in 2 rows' },
  },
  {
    title: 'a column that was there',
    legacy: `${ROOM} alter table room add code text; update room set code = 'kept' where id = 3`,
    open: { 'different-nullability': 'its backfill leaves NULL in 1 row' },
  },
  {
    title: 'a column of the primary key',
    legacy: `${ROOM} alter table room drop constraint room_pkey`,
    code: { primary: true, primaryKeyConstraintName: 'room_pkey' },
    open: {
      'different-nullability': 'its backfill leaves NULL in 1 row',
      'missing-constraint': 'NULL in 1 row of id, code',
    },
  },
];

async function migratorOf(
  { url }: TestDatabase,
  { code, options }: Case,
  execution: Execution,
): Promise<AutoMigrator> {
  const key = { primary: true, primaryKeyConstraintName: 'room_pkey' };
  const room = new EntitySchema<Record<string, unknown>>({
    name: 'room',
    columns: {
      id: { type: 'integer', ...key },
      name: { type: 'text', nullable: true },
      code: { type: 'text', ...code },
      note: { type: 'text', nullable: true },
    },
  });
  const backfills = [{ table: 'room', column: 'code', expression: 'upper(name)', ...options }];
  return new AutoMigrator(await openDataSource(url, [room]), { execution, backfills });
}

describe.each<Execution>(['online', 'atomic'])('what a backfill leaves NULL, execution %s', (execution) => {
  test.each(CASES)('$title: fails nothing, and holds up nothing else', async (each) => {
    const database = await createTestDatabase();
    await database.query(each.legacy);
    const migrator = await migratorOf(database, each, execution);
    const first = await migrator.heal();
    expect(first).toMatchObject({ outcome: 'partly-healed', failed: [], error: null });
    const reasons = first.open.map(({ kind, reason }) => [kind, reason?.split(';')[0]]);
    expect(Object.fromEntries(reasons)).toEqual(each.open);
    expect(await database.query('select code, note from room where id = 1')).toEqual([
      { code: 'A', note: null },
    ]);
    const checks = `select from pg_constraint where conrelid = 'room'::regclass and contype = 'c'`;
    expect(await database.query(checks)).toEqual([]);
    expect(await migrator.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null });

    await database.query(`update room set code = 'X' where code is null`);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [] });
  });
});
