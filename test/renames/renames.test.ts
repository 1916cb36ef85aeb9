import {
  Check,
  Column,
  Entity,
  EntitySchema,
  type EntitySchemaOptions,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  Unique,
  type Relation,
} from 'typeorm';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { RenamedFrom } from '../../src/desired/renamed-from.js';
import { compareSchemas } from '../../src/drift/compare.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import { planDifferences, type Drift } from '../../src/plan/plan.js';
import { NOTHING_STANDS } from '../../src/plan/standing.js';
import type { Schema } from '../../src/schema/model.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { catalogOf } from '../laws/catalog.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

/** The same hotel before and after somebody gave things better names. */
@Entity('employee')
@Check('"grade" > 0')
@Unique(['vorname'])
@Index(['vorname', 'grade'], { where: '"grade" > 3' })
class Employee {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar', { length: 40 })
  vorname!: string;

  @Column('integer')
  grade!: number;

  @Column({ type: 'enum', enum: ['in', 'out'], default: 'in' })
  state!: string;
}

@Entity('shift')
class OldShift {
  @PrimaryGeneratedColumn()
  id!: number;

  @ManyToOne(() => Employee, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'employee_id' })
  employee!: Relation<Employee>;
}

@Entity('staff')
@RenamedFrom('person', 'employee')
@Check('"rank" > 0')
@Unique(['firstName'])
@Index(['firstName', 'rank'], { where: '"rank" > 3' })
class Staff {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar', { length: 40, name: 'first_name', nullable: true })
  @RenamedFrom('vorname')
  firstName!: string;

  @Column('integer', { default: 1 })
  @RenamedFrom('grade')
  rank!: number;

  @Column({ type: 'enum', enum: ['in', 'out', 'ill'], default: 'in' })
  state!: string;

  @Column('text', { nullable: true })
  note!: string | null;
}

@Entity('shift')
class Shift {
  @PrimaryGeneratedColumn()
  id!: number;

  @ManyToOne(() => Staff, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'staff_id' })
  @RenamedFrom('employee_id')
  staff!: Relation<Staff>;
}

const OLD = [Employee, OldShift];
const NEW = [Staff, Shift];

const ROWS = `insert into employee (vorname, grade, state) values ('ada', 4, 'in'), ('bob', 1, 'out');
  insert into shift (employee_id) values (1), (1), (2)`;

async function oldDatabase(entities: Parameters<typeof openDataSource>[1] = OLD): Promise<TestDatabase> {
  const database = await createTestDatabase();
  const dataSource = await openDataSource(database.url, entities);
  await dataSource.synchronize();
  await dataSource.destroy();
  return database;
}

const migratorOf = async (
  database: TestDatabase,
  entities: Parameters<typeof openDataSource>[1] = NEW,
  options: AutoMigratorOptions = {},
): Promise<AutoMigrator> =>
  new AutoMigrator(await openDataSource(database.url, entities), { execution: 'online', ...options });

describe.each(['online', 'atomic'] as const)('a renamed table with renamed columns, %s', (execution) => {
  let database: TestDatabase;
  let before: Record<string, unknown>[];
  let report: HealReport;

  /** What identifies rows, files and indexes: nothing of it may change. */
  const identity = (table: string): Promise<Record<string, unknown>[]> =>
    database.query(
      `select c.relfilenode, (select array_agg(i.indexrelid order by i.indexrelid) from pg_index i where i.indrelid = c.oid) as indexes,
        (select array_agg(o.oid order by o.oid) from pg_constraint o where c.oid in (o.conrelid, o.confrelid) and o.contype <> 'n') as constraints,
        pg_get_serial_sequence($1, 'id')::regclass::oid as sequence, (select array_agg(t.xmin::text order by t.id) from ${table} t) as rows
      from pg_class c where c.oid = $1::regclass`,
      [table],
    );

  beforeAll(async () => {
    database = await oldDatabase();
    await database.query(ROWS);
    before = await identity('employee');
    report = await (await migratorOf(database, NEW, { execution })).heal();
  });

  test('is renamed, and nothing of it is dropped or made anew', () => {
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    expect(report.applied.filter(({ action }) => /^rename (table|column)$/.test(action))).toHaveLength(4);
    expect(report.applied.filter(({ action }) => /^(drop (?!not null)|create)/.test(action))).toEqual([]);
  });

  test('is the same table, with the same rows, indexes, constraints and sequence', async () => {
    expect(await identity('staff')).toEqual(before);
    expect(await database.query('select id, first_name, rank, state, note from staff order by id')).toEqual([
      { id: 1, first_name: 'ada', rank: 4, state: 'in', note: null },
      { id: 2, first_name: 'bob', rank: 1, state: 'out', note: null },
    ]);
    expect(await database.query('insert into staff (rank) values (2) returning id')).toEqual([{ id: 3 }]);
    await expect(database.query('insert into shift (staff_id) values (99)')).rejects.toThrow(/foreign key/);
  });

  test('has the names that the naming strategy gives, but for its sequence', async () => {
    const made = await oldDatabase(NEW);
    const namesIn = async (each: TestDatabase): Promise<string[]> =>
      (await catalogOf(each))
        .filter((line) => /^(constraint|index|enum|column)/.test(line))
        .map((line) => line.replace(/(employee|staff)_id_seq/, 'id_seq'));
    expect(await namesIn(database)).toEqual(await namesIn(made));
  });

  test('is in sync, and a second heal has nothing to do', async () => {
    const again = await migratorOf(database, NEW, { execution });
    expect(await again.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
    expect(await again.heal()).toMatchObject({ outcome: 'nothing-to-do', runId: null });
  });
});

test('whatever ends a run between two renames, the next one goes on', async () => {
  const database = await oldDatabase();
  await database.query(ROWS);
  // The table is free for its rename, but shift's column is not.
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query('begin; lock table shift in access share mode');
  const migrator = await migratorOf(database, NEW, { lockTimeoutMs: 50, lockRetries: 0 });
  const report = await migrator.heal();
  expect(report.failed.map(({ object }) => object)).toContain('public.shift.staff_id');
  expect(await database.query(`select to_regclass('staff') is not null as renamed`)).toEqual([
    { renamed: true },
  ]);
  await blocker.query('rollback');
  await blocker.end();
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
  expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', drift: [] });
});

test('what presumes a rename that failed is left out, not tried', async () => {
  const database = await oldDatabase();
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query('begin; lock table employee in access share mode');
  const migrator = await migratorOf(database, NEW, { lockTimeoutMs: 50, lockRetries: 0 });
  const report = await migrator.heal();
  await blocker.query('rollback');
  await blocker.end();
  expect(report.failed.map(({ action }) => action)).toEqual(['rename table']);
  expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [] });
});

describe('for entities without classes', () => {
  const renamedFrom = { tables: { 'public.room': ['zimmer'] }, columns: { 'room.floor': ['stock'] } };
  const room = new EntitySchema({
    name: 'room',
    columns: { id: { type: 'integer', primary: true }, floor: { type: 'integer', nullable: true } },
  });
  const heal = async (legacy: string) => {
    const database = await createTestDatabase();
    await database.query(legacy);
    const report = await (await migratorOf(database, [room], { renamedFrom })).heal();
    return { database, report };
  };

  test('the option renames', async () => {
    const { report } = await heal('create table zimmer (id integer primary key, stock integer)');
    expect(report).toMatchObject({ outcome: 'healed', open: [] });
    expect(report.applied.map(({ action }) => action)).toContain('rename column');
  });

  test('the option finds a name that PostgreSQL has cut', async () => {
    const long = 'a_name_that_is_longer_than_the_sixty_three_bytes_that_postgresql_keeps';
    const database = await createTestDatabase();
    await database.query(`create table ${long} (id integer primary key, ${long} integer)`);
    const options = { renamedFrom: { tables: { room: [long] }, columns: { 'room.floor': [long] } } };
    const report = await (await migratorOf(database, [room], options)).heal();
    expect(report).toMatchObject({ outcome: 'healed', open: [] });
    expect(report.applied.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['rename table', 'rename column']),
    );
  });

  const unclear: [title: string, legacy: string, object: string, reason: string][] = [
    [
      'both tables are there',
      'create table room (id integer primary key, floor integer); create table zimmer ()',
      'public.room',
      'both zimmer and room are there',
    ],
    [
      'both columns are there',
      'create table room (id integer primary key, floor integer, stock integer)',
      'public.room.floor',
      'both stock and floor are there',
    ],
  ];

  test.each(unclear)('nothing is guessed when %s', async (_title, legacy, object, reason) => {
    const { report, database } = await heal(legacy);
    expect(report.applied).toEqual([]);
    expect(report.open).toMatchObject([{ object, reason: expect.stringContaining(reason) as string }]);
    await database.drop();
  });

  test('nothing is guessed when several former names are there, and nothing new is made', async () => {
    const database = await createTestDatabase();
    await database.query(
      'create table zimmer (id integer primary key); create table chamber (id integer primary key)',
    );
    const options = { renamedFrom: { tables: { room: ['zimmer', 'chamber'] } } };
    const report = await (await migratorOf(database, [room], options)).heal();
    expect(report.open).toMatchObject([
      { kind: 'renamed-table', reason: expect.stringContaining('are all there') as string },
    ]);
    expect(await database.query(`select to_regclass('room') as room`)).toEqual([{ room: null }]);
  });

  test('once it is done the declaration asks for nothing', async () => {
    const { report } = await heal('create table room (id integer primary key, floor integer)');
    expect(report).toMatchObject({ outcome: 'nothing-to-do', open: [] });
  });
});

/** Until it is clear what is what, nothing is done to it, nor to what builds on it. */
describe.each(['online', 'atomic'] as const)('what bears a name that may be of another, %s', (execution) => {
  const id = { type: 'integer', primary: true } as const;
  const text = { type: 'text', nullable: true } as const;
  const state = (...values: string[]) => ({ type: 'enum', enum: values, nullable: true }) as const;
  const entity = (name: string, columns: EntitySchemaOptions<unknown>['columns'], rest = {}): EntitySchema =>
    new EntitySchema({ name, columns: { id, ...columns }, ...rest });
  const pointing = (target: string, column = 'id') => ({
    foreignKeys: [{ target, columnNames: ['to'], referencedColumnNames: [column] }],
  });
  const door = entity('door', { to: { type: 'integer', nullable: true } }, pointing('hall'));

  interface UnclearCase {
    readonly title: string;
    readonly before: readonly EntitySchema[];
    readonly after: readonly EntitySchema[];
    readonly options: AutoMigratorOptions;
    readonly waiting: readonly string[];
    /** What is clear: it is done all the same. */
    readonly made?: readonly string[];
  }

  const cases: UnclearCase[] = [
    {
      title: 'tables that move up by one',
      before: [entity('room', { bed: text }), entity('hall', { stage: text, state: state('in') })],
      after: [
        entity(
          'hall',
          { bed: text, berth: text, state: state('in', 'new') },
          { indices: [{ columns: ['berth'] }] },
        ),
        entity('arena', { stage: text }, { checks: [{ expression: 'id > 0' }] }),
        door,
      ],
      options: {
        renamedFrom: { tables: { hall: ['room'], arena: ['hall'] }, columns: { 'hall.berth': ['stage'] } },
      },
      waiting: [
        'different-enum public.hall_state_enum',
        'missing-column public.hall.bed',
        'missing-constraint public.door.FK',
        'missing-index public.IDX',
        'renamed-column public.hall.berth',
      ],
      made: ['public.door'],
    },
    {
      title: 'columns that move up by one',
      before: [entity('hall', { a: { type: 'integer' }, b: { type: 'smallint', nullable: true } })],
      after: [
        entity(
          'hall',
          {
            b: { type: 'integer', default: 7, comment: 'was a' },
            c: { type: 'smallint', nullable: true },
            sum: { type: 'integer', nullable: true, generatedType: 'STORED', asExpression: 'b + 1' },
            note: text,
            plan: text,
          },
          { indices: [{ columns: ['b'] }], checks: [{ expression: 'b > 0' }], uniques: [{ columns: ['b'] }] },
        ),
        entity('door', { to: { type: 'integer', nullable: true } }, pointing('hall', 'b')),
        new EntitySchema({
          name: 'shown',
          type: 'view',
          expression: 'select b from hall',
          columns: { b: { type: 'integer' } },
        }),
      ],
      options: {
        renamedFrom: { columns: { 'hall.b': ['a'], 'hall.c': ['b'] } },
        backfills: [{ table: 'hall', column: 'note', expression: `'b ' || b` }],
      },
      waiting: [
        'different-comment public.hall.b',
        'different-default public.hall.b',
        'different-nullability public.hall.b',
        'different-type public.hall.b',
        'missing-column public.hall.sum',
        'missing-constraint public.door.FK',
        'missing-constraint public.hall.CHK',
        'missing-constraint public.hall.UQ',
        'missing-index public.IDX',
        'missing-note public.hall.sum',
        'missing-note public.shown',
        'missing-view public.shown',
        'unfilled-column public.hall.note',
      ],
      made: ['public.door', 'public.hall.note', 'public.hall.plan'],
    },
    {
      title: 'a table beside the one that it may have been',
      before: [entity('room', { bed: text }), entity('hall', {})],
      after: [entity('hall', { bed: text })],
      options: { renamedFrom: { tables: { hall: ['room'] } } },
      waiting: ['missing-column public.hall.bed'],
    },
  ];

  test.each(cases)('$title', async ({ before, after, options, waiting, made = [] }) => {
    const database = await oldDatabase([...before]);
    const report = await (await migratorOf(database, [...after], { ...options, execution })).heal();
    // TypeORM's notes say what the entities ask for, whatever is there.
    const applied = report.applied.filter(({ sql }) => !sql.includes('typeorm_metadata'));
    const isOpen = ({ hazards }: Drift): boolean => hazards.join() === 'waits';
    const hashless = (object: string): string => object.replace(/(FK|IDX|CHK|UQ)_\w+$/, '$1');
    expect([...new Set(applied.map(({ object }) => object))]).toEqual(made);
    expect(
      report.open
        .filter(isOpen)
        .map(({ kind, object }) => `${kind} ${hashless(object)}`)
        .toSorted(),
    ).toEqual(waiting);
    expect(report.failed).toEqual([]);
  });
});

describe('while a process of an older release is alive', () => {
  const column = {
    type: 'integer',
    notNull: false,
    expression: null,
    volatile: false,
    serial: false,
    identity: null,
    generated: null,
    collation: null,
    comment: null,
    sequence: null,
  } as const;
  const schemaOf = (
    table: string,
    columns: Schema['tables'][number]['columns'],
    formerNames?: string[],
  ): Schema => ({
    serverVersion: 180000,
    fingerprint: null,
    namespaces: [{ name: 'public', mayCreate: true }],
    extensions: [],
    enums: [],
    refused: [],
    tables: [
      {
        schema: 'public',
        name: table,
        kind: 'table',
        definition: null,
        comment: null,
        owned: true,
        hidesRows: false,
        columns,
        constraints: [],
        indexes: [],
        partitions: [],
        ...(formerNames ? { formerNames } : {}),
      },
    ],
  });
  const old = schemaOf('room', [{ ...column, name: 'stock' }]);
  const plan = (desired: Schema, olderReleaseIsAlive: boolean) =>
    planDifferences(
      compareSchemas(desired, old),
      old,
      new Map(),
      { ...NOTHING_STANDS, olderReleaseIsAlive, olderRelease: 'release 1' },
      { execution: 'online', policy: 'safe', names: 'accept', smallTableBytes: 0 },
    ).drift.map(({ kind, disposition, reason }) => [kind, disposition, reason]);

  test('a column waits with what is to be done to it; the rest of its table does not', () => {
    const desired = schemaOf('room', [
      { ...column, name: 'floor', formerNames: ['stock'], expression: '1' },
      { ...column, name: 'wing' },
    ]);
    expect(plan(desired, true)).toEqual([
      ['different-default', 'open', 'it waits until public.room.floor has its new name'],
      ['missing-column', 'heal', null],
      ['renamed-column', 'open', 'it would break release 1'],
    ]);
    expect(plan(desired, false).map(([, disposition]) => disposition)).toEqual(['heal', 'heal', 'heal']);
  });

  test('a table waits as a whole', () => {
    const desired = schemaOf(
      'chamber',
      [
        { ...column, name: 'stock' },
        { ...column, name: 'wing' },
      ],
      ['room'],
    );
    expect(plan(desired, true).map(([kind, disposition]) => [kind, disposition])).toEqual([
      ['missing-column', 'open'],
      ['renamed-table', 'open'],
    ]);
  });
});

test('former names of what no entity asks for are told', async () => {
  const database = await createTestDatabase();
  const dataSource = await openDataSource(database.url, [Employee]);
  const migrator = new AutoMigrator(dataSource, {
    renamedFrom: {
      tables: { employee: ['person'], 'public.employee': ['worker'], staff: ['employee'] },
      columns: { 'employee.vorname': ['name'], 'employee.forename': ['vorname'], grade: ['rank'] },
    },
  });
  expect((await migrator.check()).warnings).toEqual([
    'renamedFrom.tables names staff, which no entity has: nothing is renamed to it',
    'renamedFrom.columns names employee.forename, which no entity has: nothing is renamed to it',
    'renamedFrom.columns names grade, which no entity has: nothing is renamed to it',
  ]);
});
