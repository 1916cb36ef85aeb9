import { EntitySchema } from 'typeorm';
import { beforeEach, describe, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Execution } from '../../src/plan/proposal.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

const id = { type: 'integer', primary: true } as const;

/** Somebody refuses its index, when the new table is already there. */
const guest = new EntitySchema<Record<string, unknown>>({
  name: 'guest',
  columns: { id, room: { type: 'text', comment: 'number and floor' }, stay_id: { type: 'integer' } },
  relations: { stay: { type: 'many-to-one', target: 'stay', joinColumn: { name: 'stay_id' } } },
  indices: [{ name: 'guest_room', columns: ['room'] }],
});

const stay = new EntitySchema({
  name: 'stay',
  columns: { id, nights: { type: 'integer', default: 1 }, note: { type: 'text', nullable: true } },
});

const pet = new EntitySchema({ name: 'pet', columns: { id, name: { type: 'text' } } });

const LEGACY = `
  create table stay (id integer primary key);
  insert into stay select generate_series(1, 10);
  create function refuse() returns event_trigger language plpgsql as $$ begin
    if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'public.guest_room')
    then raise 'no index here'; end if; end $$;
  create event trigger refusing on ddl_command_end when tag in ('CREATE INDEX') execute function refuse();`;

const ERROR = 'no index here. Rolled back: public.guest stays as it was';

async function columnsThatAre(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select format('%s.%s', table_name, column_name) as name from information_schema.columns
     where table_schema = 'public' order by table_name, ordinal_position`,
  );
  return rows.map(({ name }) => name);
}

describe.each<{
  execution: Execution;
  outcome: HealReport['outcome'];
  applied: string[];
  left: string[];
  columns: string[];
}>([
  {
    execution: 'online',
    outcome: 'partly-healed',
    applied: ['create table public.pet', 'add column public.stay.nights', 'add column public.stay.note'],
    left: ['public.guest'],
    columns: ['pet.id', 'pet.name', 'stay.id', 'stay.nights', 'stay.note'],
  },
  {
    execution: 'atomic',
    outcome: 'failed',
    applied: [],
    left: ['public.guest', 'public.pet', 'public.stay.nights', 'public.stay.note'],
    columns: ['stay.id'],
  },
])(
  'an error in the middle of a unit, execution $execution',
  ({ execution, outcome, applied, left, columns }) => {
    let database: TestDatabase;
    let migrator: AutoMigrator;
    let report: HealReport;

    beforeEach(async () => {
      database = await createTestDatabase();
      await database.query(LEGACY);
      migrator = new AutoMigrator(await openDataSource(database.url, [guest, stay, pet]), { execution });
      report = await migrator.heal();
    });

    test('what it rolls back and what it leaves', async () => {
      expect(report).toMatchObject({ outcome, error: null });
      expect(report.applied.map(({ action, object }) => `${action} ${object}`)).toEqual(applied);
      expect(report.open.map(({ object }) => object).toSorted()).toEqual(left);
      expect(await columnsThatAre(database)).toEqual(columns);
      expect(await database.query('select count(*)::int as rows from stay')).toEqual([{ rows: 10 }]);
    });

    test("the report names the statement, the object, PostgreSQL's message and what stays", () => {
      expect(report.failed).toEqual([
        {
          object: 'public.guest',
          action: 'create index',
          sql: 'CREATE INDEX "guest_room" ON "public"."guest" USING btree (room)',
          error: ERROR,
          blockedBy: [],
        },
      ]);
      expect(report.open.find(({ object }) => object === 'public.guest')).toMatchObject({
        kind: 'missing-table',
        disposition: 'open',
        reason: `create index failed: ${ERROR}`,
      });
    });

    test('the journal tells the culprit from what went with it', async () => {
      const [run] = await migrator.history();
      expect(run).toMatchObject({ outcome, error: ERROR });
      const ofGuest = run?.steps.filter(({ object }) => object.startsWith('public.guest'));
      expect(ofGuest?.map((step) => [step.action, step.outcome, step.error])).toEqual([
        ['create table', 'rolled-back', null],
        ['create index', 'failed', 'no index here'],
        ['comment', 'rolled-back', null],
        // A foreign key follows its table: without the table nobody tries it online.
        ...(execution === 'atomic' ? [['add foreign key', 'rolled-back', null]] : []),
      ]);
      const others = run?.steps.filter(({ object }) => !object.startsWith('public.guest')) ?? [];
      expect(new Set(others.map((step) => step.outcome))).toEqual(
        new Set([execution === 'atomic' ? 'rolled-back' : 'applied']),
      );
    });

    test('once the cause is gone the next heal does what is left', async () => {
      await database.query('drop event trigger refusing');
      const next = await migrator.heal();
      expect(next).toMatchObject({ outcome: 'healed', open: [], failed: [] });
      const { verdict }: CheckReport = await migrator.check();
      expect(verdict).toBe('in-sync');
      expect((await migrator.history()).map((run) => run.outcome)).toEqual(['healed', outcome]);
    });
  },
);
