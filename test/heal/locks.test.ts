import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AutoMigratorOptions } from '../../src/auto-migration.options.js';
import { AutoMigrator } from '../../src/auto-migrator.js';
import type { PlannedUnit } from '../../src/plan/plan.js';
import type { Execution } from '../../src/plan/proposal.js';
import type { Step } from '../../src/plan/step.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { POSTGRES_MAJOR } from '../setup/versions.js';
import { LOCK_CASES } from './lock-cases.js';

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
let unitsOf: Record<Execution | 'large', PlannedUnit[]>;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query('create table parent (id integer primary key); insert into parent values (1)');
  await database.query(cases.map(legacyOf).join(';\n'));
  const parent = new EntitySchema({ name: 'parent', columns: { id: { type: 'integer', primary: true } } });
  const dataSource = await openDataSource(database.url, [parent, ...cases.flatMap(entitiesOf)]);
  const plan = async (options: AutoMigratorOptions): Promise<PlannedUnit[]> => {
    const report = await new AutoMigrator(dataSource, options).plan();
    if (!report.plan) throw new Error(`no plan: ${report.error}`);
    return [...report.plan.units, ...report.plan.openUnits];
  };
  unitsOf = {
    online: await plan({ execution: 'online' }),
    atomic: await plan({ execution: 'atomic' }),
    large: await plan({ execution: 'online', smallTableBytes: 0 }),
  };
  // Under UTC PostgreSQL need not rewrite timestamps that get a time zone; the application's is not known.
  worker = new pg.Client({ connectionString: database.url, options: '-c timezone=Europe/Vienna' });
  bystander = new pg.Client({ connectionString: database.url });
  await Promise.all([worker.connect(), bystander.connect()]);
});

afterAll(() => Promise.all([worker.end(), bystander.end()]));

function legacyOf({ table, is, value, also, own }: NumberedCase): string {
  const column = is === null ? '' : `, a ${is}`;
  const row = value === undefined ? '(id) values (1)' : `(id, a) values (1, '${value}')`;
  return [
    own?.legacy.replaceAll('$table', table) ??
      `create table ${table} (id integer primary key${column}); insert into ${table} ${row}`,
    ...(also ? [also.replaceAll('$table', table)] : []),
  ].join('; ');
}

function entitiesOf({ table, wanted, entity, own, views }: NumberedCase): EntitySchema[] {
  const inTable = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replaceAll('$table', table)) as Value;
  const a: Record<string, EntitySchemaColumnOptions> = wanted === null ? {} : { a: wanted };
  const columns = own?.columns ?? { id: { type: 'integer', primary: true }, ...a };
  const ofTable = { ...inTable(entity ?? {}), name: table, columns: own ? inTable(columns) : columns };
  const ofViews = Object.entries(inTable(views ?? {})).map(([name, expression]) => {
    const column = { a: { type: 'varchar' } } as const;
    return new EntitySchema({ name, type: 'view', expression, columns: column });
  });
  return [new EntitySchema<Record<string, unknown>>(ofTable), ...ofViews];
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
     where l.pid = $1 and l.granted and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'i', 'I', 'v')`,
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

interface Cost {
  readonly locks: Map<string, string>;
  readonly scans: boolean;
}

/** The locks that a step takes, seen from outside before it is committed. */
async function runInTransaction({ sql }: Step, table: string): Promise<Cost> {
  // They count on until they are flushed, which is never within a transaction.
  const scansSoFar = async (): Promise<number> => {
    const { rows } = await worker.query<{ scans: string | null }>(
      'select pg_stat_get_xact_numscans(to_regclass($1)) as scans',
      [table],
    );
    return Number(rows[0]?.scans ?? 0);
  };
  await worker.query('begin');
  const before = await scansSoFar();
  await worker.query(sql);
  const after = await scansSoFar();
  const locks = await locksOf(await pidOf(worker));
  await worker.query('commit');
  return { locks, scans: after > before };
}

/** A concurrent statement waits for whoever writes to the table; meanwhile its own locks can be seen. */
async function runConcurrently({ sql, scans }: Step, table: string): Promise<Cost> {
  const pid = await pidOf(worker);
  const before = await scansOf(table);
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
  // Before, a collector of its own has the statistics, some time later.
  if (POSTGRES_MAJOR < 15) return { locks, scans };
  await worker.query('select pg_stat_force_next_flush()');
  return { locks, scans: (await scansOf(table)) > before };
}

async function scansOf(table: string): Promise<number> {
  const [row] = await database.query<{ scans: string }>(
    'select pg_stat_get_numscans($1::regclass) as scans',
    [table],
  );
  return Number(row?.scans);
}

/** What is read under a lock that stops nobody is nobody's concern. */
function write({ action, lock }: Step, held: string, rewrites: boolean, scans: boolean): string {
  const reads = scans && MODES.indexOf(lock) >= MODES.indexOf('SHARE UPDATE EXCLUSIVE');
  return `${action}: ${held}${rewrites ? ', rewrites' : reads ? ', scans' : ''}`;
}

/** Whether others wait for a lock on a table that the step does not name, or for a stronger one than it names. */
function isUntold({ lock, alsoLocks }: Step, table: string, mode: string): boolean {
  const strength = MODES.indexOf(mode);
  const isNamed = alsoLocks.some(({ name }) => name === table);
  return strength > MODES.indexOf(isNamed ? lock : 'SHARE UPDATE EXCLUSIVE');
}

test.each(cases)('$title', async ({ table, execution = 'online', isLarge = false, disposition, steps }) => {
  const units = unitsOf[isLarge ? 'large' : execution].filter(
    ({ drift }) => drift.table === `public.${table}`,
  );
  expect(units.map(({ drift }) => drift.disposition)).toEqual(units.map(() => disposition));
  const [declared, happened, elsewhere]: [string[], string[], string[]] = [[], [], []];
  for (const unit of units) {
    for (const step of unit.steps) {
      const locked = step.table?.name ?? table;
      const before = await fileOf(table);
      const { locks, scans } = await (unit.manner === 'alone'
        ? runConcurrently(step, locked)
        : runInTransaction(step, locked));
      const after = await fileOf(table);
      declared.push(write(step, step.lock, step.rewrites, step.scans));
      happened.push(write(step, locks.get(locked) ?? 'NONE', before !== after, scans));
      for (const [other, mode] of locks)
        if (other !== locked && isUntold(step, other, mode))
          elsewhere.push(`${step.action}, ${other}: ${mode}`);
    }
  }
  expect(happened).toEqual(steps);
  expect(declared).toEqual(steps);
  expect(elsewhere).toEqual([]);
});
