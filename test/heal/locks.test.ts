import { EntitySchema } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { PlannedUnit } from '../../src/plan/plan.js';
import type { Execution } from '../../src/plan/proposal.js';
import type { Step } from '../../src/plan/step.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { LOCK_CASES, type LockCase } from './lock-cases.js';

/** From weak to strong. What is weaker stops neither reads nor writes nor our own changes. */
const MODES = [
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
];

/** On a busy machine, too. */
const patiently = { timeout: 20_000, interval: 10 };

const cases = LOCK_CASES.map((each, number) => ({ ...each, table: `case_${number}` }));
type NumberedCase = (typeof cases)[number];

let database: TestDatabase;
let worker: pg.Client;
let bystander: pg.Client;
let unitsOf: Record<Execution, PlannedUnit[]>;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query('create table parent (id integer primary key); insert into parent values (1)');
  await database.query(cases.map(legacyOf).join(';\n'));
  const parent = new EntitySchema({ name: 'parent', columns: { id: { type: 'integer', primary: true } } });
  const dataSource = await openDataSource(database.url, [parent, ...cases.map(entityOf)]);
  const plan = async (execution: Execution): Promise<PlannedUnit[]> => {
    const report = await new AutoMigrator(dataSource, { execution }).plan();
    if (!report.plan) throw new Error(`no plan: ${report.error}`);
    return [...report.plan.units, ...report.plan.openUnits];
  };
  unitsOf = { online: await plan('online'), atomic: await plan('atomic') };
  // Under UTC PostgreSQL need not rewrite timestamps that get a time zone; the application's is not known.
  worker = new pg.Client({ connectionString: database.url, options: '-c timezone=Europe/Vienna' });
  bystander = new pg.Client({ connectionString: database.url });
  await Promise.all([worker.connect(), bystander.connect()]);
});

afterAll(() => Promise.all([worker.end(), bystander.end()]));

function legacyOf({ table, is, value, also }: NumberedCase): string {
  const column = is === null ? '' : `, a ${is}`;
  const row = value === undefined ? '(id) values (1)' : `(id, a) values (1, '${value}')`;
  return [
    `create table ${table} (id integer primary key${column}); insert into ${table} ${row}`,
    ...(also ? [also.replaceAll('$table', table)] : []),
  ].join('; ');
}

function entityOf({ table, wanted, entity }: NumberedCase): EntitySchema {
  const named = JSON.parse(JSON.stringify(entity ?? {}).replaceAll('$table', table)) as LockCase['entity'];
  return new EntitySchema<Record<string, unknown>>({
    name: table,
    columns: { id: { type: 'integer', primary: true }, ...(wanted === null ? {} : { a: wanted }) },
    ...named,
  });
}

async function fileOf(table: string): Promise<unknown> {
  const [row] = await database.query(`select pg_relation_filenode($1::regclass) as file`, [table]);
  return row?.['file'];
}

/** The strongest lock that the session holds on each table, or index of it, that others can see. */
async function locksOf(pid: number): Promise<Map<string, string>> {
  const rows = await database.query<{ table: string; mode: string }>(
    `select coalesce(i.indrelid, c.oid)::regclass::text as table, l.mode
     from pg_locks l join pg_class c on c.oid = l.relation left join pg_index i on i.indexrelid = c.oid
     where l.pid = $1 and l.granted and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i')`,
    [pid],
  );
  const strongest = new Map<string, string>();
  for (const { table, mode } of rows) {
    const name = mode
      .replace(/Lock$/, '')
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toUpperCase();
    const known = strongest.get(table) ?? 'NONE';
    strongest.set(table, MODES.indexOf(name) > MODES.indexOf(known) ? name : known);
  }
  return strongest;
}

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

/** The locks that a step takes, seen from outside before it is committed. */
async function runInTransaction({ sql }: Step): Promise<Map<string, string>> {
  await worker.query('begin');
  await worker.query(sql);
  const locks = await locksOf(await pidOf(worker));
  await worker.query('commit');
  return locks;
}

/** A concurrent statement waits for whoever writes to the table; meanwhile its own locks can be seen. */
async function runConcurrently({ sql }: Step, table: string): Promise<Map<string, string>> {
  const pid = await pidOf(worker);
  await bystander.query(`begin; lock table ${table} in row exclusive mode`);
  const running = worker.query(sql);
  const locks = await vi.waitFor(async () => {
    const [waits] = await database.query(
      `select from pg_locks where pid = $1 and locktype = 'virtualxid' and not granted`,
      [pid],
    );
    expect(waits).toBeDefined();
    return locksOf(pid);
  }, patiently);
  await bystander.query('commit');
  await running;
  return locks;
}

test.each(cases)('$title', async ({ table, execution = 'online', disposition, steps }) => {
  const units = unitsOf[execution].filter(({ drift }) => drift.table === `public.${table}`);
  expect(units.map(({ drift }) => drift.disposition)).toEqual(units.map(() => disposition));
  const [declared, happened, elsewhere]: [string[], string[], string[]] = [[], [], []];
  const write = (step: Step, lock: string, rewrites: boolean): string =>
    `${step.action}: ${lock}${rewrites ? ', rewrites' : ''}`;
  for (const unit of units) {
    for (const step of unit.steps) {
      const before = await fileOf(table);
      const locks = await (unit.manner === 'alone' ? runConcurrently(step, table) : runInTransaction(step));
      const after = await fileOf(table);
      declared.push(write(step, step.lock, step.rewrites));
      happened.push(write(step, locks.get(table) ?? 'NONE', before !== after));
      for (const [other, mode] of locks)
        if (other !== table && MODES.indexOf(mode) > MODES.indexOf(step.lock))
          elsewhere.push(`${other}: ${mode}`);
    }
  }
  expect(happened).toEqual(steps);
  expect(declared).toEqual(steps);
  expect(elsewhere).toEqual([]);
});
