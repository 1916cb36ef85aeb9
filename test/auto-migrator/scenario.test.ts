import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Execution } from '../../src/plan/proposal.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { HOTEL, HOTEL_BACKFILLS } from './hotel-entities.js';
import { openDataSource } from './open-data-source.js';

const EXECUTIONS: Execution[] = ['online', 'atomic'];

/** What the new release adds, and the default that PostgreSQL shows for it. */
const ADDED: [table: string, column: string, type: string, byDefault: string | null][] = [
  ['staff', 'first_name', 'character varying(255)', null],
  ['staff', 'last_name', 'character varying(255)', null],
  ['staff', 'display_name', 'character varying(255)', null],
  ['staff', 'avatar_url', 'text', null],
  ['staff', 'permissions', 'text', "'[]'::text"],
  ['staff', 'is_active', 'boolean', 'true'],
  ['staff', 'last_login', 'timestamp without time zone', null],
  ['tenants', 'hotel_name', 'character varying(255)', null],
  ['tenants', 'subdomain', 'character varying(50)', null],
  ['tenants', 'subscription_plan', 'character varying(50)', "'trial'::character varying"],
  ['tenants', 'subscription_status', 'character varying(50)', "'active'::character varying"],
  ['tenants', 'trial_ends_at', 'timestamp without time zone', null],
  ['tenants', 'max_voices', 'integer', '5'],
  ['tenants', 'max_languages', 'integer', '4'],
  ['tenants', 'voice_cloning', 'boolean', 'false'],
  ['tenants', 'multi_location', 'boolean', 'false'],
  ['tenants', 'white_label', 'boolean', 'false'],
  ['tenants', 'data_retention_days', 'integer', '90'],
  ['tenants', 'monthly_call_limit', 'integer', '5000'],
  ['call', 'satisfaction', 'smallint', null],
];

const INDEXES = [
  'CREATE INDEX idx_call_start_time ON public.call USING btree (start_time)',
  'CREATE INDEX idx_call_tenant_id ON public.call USING btree (tenant_id)',
  'CREATE INDEX idx_message_request_id ON public.message USING btree (request_id)',
  'CREATE INDEX idx_request_status ON public.request USING btree (status)',
  'CREATE INDEX idx_request_tenant_id ON public.request USING btree (tenant_id)',
  'CREATE INDEX idx_staff_tenant_id ON public.staff USING btree (tenant_id)',
  'CREATE INDEX idx_staff_username ON public.staff USING btree (username)',
  'CREATE UNIQUE INDEX idx_tenants_subdomain ON public.tenants USING btree (subdomain)',
];

const CONSTRAINTS = [
  'call CHECK (((satisfaction >= 1) AND (satisfaction <= 5)))',
  'message FOREIGN KEY (request_id) REFERENCES request(id)',
  'request FOREIGN KEY (call_id) REFERENCES call(id)',
  'request FOREIGN KEY (tenant_id) REFERENCES tenants(id)',
];

const TABLES = ['staff', 'tenants', 'call', 'request', 'monthly_report'];

/** The rows of the columns that were there before the new release. */
async function fingerprints(database: TestDatabase, columnsOf: Map<string, string[]>): Promise<string[]> {
  const texts: string[] = [];
  for (const [table, columns] of columnsOf) {
    const list = columns.map((column) => `"${column}"`).join(', ');
    const [row] = await database.query<{ text: string }>(
      `select format('%s rows=%s sum=%s', '${table}', count(*), sum(hashtextextended(row(${list})::text, 0))) as text from "${table}"`,
    );
    texts.push(row?.text ?? '');
  }
  return texts;
}

async function columnsOfTables(database: TestDatabase): Promise<Map<string, string[]>> {
  const rows = await database.query<{ table: string; columns: string[] }>(
    `select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relname = any ($1) and c.relkind = 'r' group by 1 order by 1`,
    [TABLES],
  );
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}

/** Names and shapes of everything in the schema, to see that nothing is gone. */
async function objects(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ text: string }>(
    `select format('%s.%s %s notnull=%s default=%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as text
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'S')
     union all
     select format('%s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
     from pg_constraint where connamespace = 'public'::regnamespace
     order by 1`,
  );
  return rows.map(({ text }) => text);
}

describe.each(EXECUTIONS)('the hotel is healed, execution %s', (execution) => {
  let database: TestDatabase;
  let migrator: AutoMigrator;
  let before: { check: CheckReport; objects: string[]; columns: Map<string, string[]>; rows: string[] };
  let report: HealReport;

  beforeAll(async () => {
    database = await createTestDatabase({ template: 'hotel' });
    migrator = new AutoMigrator(await openDataSource(database.url, HOTEL), {
      execution,
      backfills: HOTEL_BACKFILLS,
    });
    const columns = await columnsOfTables(database);
    before = {
      check: await migrator.check(),
      objects: await objects(database),
      columns,
      rows: await fingerprints(database, columns),
    };
    report = await migrator.heal();
  });

  test('the check before it says what is missing and that all of it can be healed', () => {
    const { verdict, error, drift } = before.check;
    expect({ verdict, error }).toEqual({ verdict: 'drift', error: null });
    expect(drift.filter(({ disposition }) => disposition === 'open')).toEqual([]);
    const missing = drift.filter(({ disposition }) => disposition === 'heal').map(({ object }) => object);
    expect(missing).toEqual(
      expect.arrayContaining([
        'public.message',
        'public.call.call_satisfaction_check',
        ...ADDED.map(([table, column]) => `public.${table}.${column}`),
      ]),
    );
  });

  test('the report tells that everything was applied', () => {
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null, healer: null });
    expect(report.runId).toMatch(/^\d+$/);
    expect(report.desiredHash).toBe(before.check.desiredHash);
  });

  test.each(ADDED)('%s.%s is %s with default %s', async (table, column, type, byDefault) => {
    const [found] = await database.query(
      `select format_type(a.atttypid, a.atttypmod) as type, pg_get_expr(d.adbin, d.adrelid) as "byDefault", a.attnotnull as required
       from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = $1::regclass and a.attname = $2`,
      [table, column],
    );
    expect(found).toEqual({ type, byDefault, required: false });
    const [rows] = await database.query<{ filled: boolean }>(
      `select bool_and("${column}" is not null) as filled from "${table}"`,
    );
    const isFilled = HOTEL_BACKFILLS.some((each) => each.table.endsWith(table) && each.column === column);
    expect(rows?.filled).toBe(byDefault !== null || isFilled);
  });

  test('the columns have the values that the scenario names, hostile user names included', async () => {
    const wrong = await database.query(
      `select username from staff where display_name is distinct from username
         or case when strpos(username, '.') > 0 then (first_name || '.' || last_name) is distinct from username
           else first_name is distinct from username or last_name <> '' end
       union all select name from tenants where hotel_name is distinct from name or subdomain is distinct from id`,
    );
    expect(wrong).toEqual([]);
    const hostile = await database.query(
      'select first_name, last_name from staff where username !~ $1 order by id',
      ['^first'],
    );
    expect(hostile.map((row) => Object.values(row))).toEqual([
      ['nodots', ''],
      ['', ''],
      ['', 'leading'],
      ["O'Brien", 'Sean'],
      ['Ünï', 'Çødé'],
    ]);
  });

  test('the indexes, the check and the foreign keys are there, valid', async () => {
    const indexes = await database.query<{ definition: string; valid: boolean }>(
      `select pg_get_indexdef(indexrelid) as definition, indisvalid as valid from pg_index
       where indexrelid::regclass::text like 'idx%' order by 1`,
    );
    expect(indexes).toEqual(INDEXES.map((definition) => ({ definition, valid: true })));
    const constraints = await database.query<{ definition: string; valid: boolean }>(
      `select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) as definition, convalidated as valid from pg_constraint
       where contype in ('c', 'f') and connamespace = 'public'::regnamespace order by 1`,
    );
    expect(constraints).toEqual(CONSTRAINTS.map((definition) => ({ definition, valid: true })));
  });

  test('the new table takes a message and refuses one to nowhere', async () => {
    const insert = (request: number): Promise<Record<string, unknown>[]> =>
      database.query(
        `insert into message (request_id, sender, body) values (${request}, 'guest', 'hello') returning created_at is not null as dated`,
      );
    expect(await insert(1)).toEqual([{ dated: true }]);
    await expect(insert(-1)).rejects.toThrow('violates foreign key constraint');
    await database.query('delete from message');
  });

  test('nothing is dropped: whatever was there still is, and so are the rows', async () => {
    expect(await objects(database)).toEqual(expect.arrayContaining(before.objects));
    expect(await fingerprints(database, before.columns)).toEqual(before.rows);
    expect(before.rows.map((text) => text.split(' sum')[0])).toEqual([
      'call rows=50000',
      'monthly_report rows=12',
      'request rows=5000',
      'staff rows=505',
      'tenants rows=20',
    ]);
  });

  test("somebody's report table is extra, does not count, and is in no statement", () => {
    const about = report.drift.filter(({ object }) => object.startsWith('public.monthly_report'));
    expect(about).toEqual([
      {
        id: about[0]?.id,
        kind: 'extra-table',
        object: 'public.monthly_report',
        table: 'public.monthly_report',
        desired: null,
        actual: 'table (month date NOT NULL, calls integer NOT NULL, remark text)',
        disposition: 'extra',
        reason: 'only the database has it; it stays',
        hazards: [],
        sql: ['DROP TABLE "public"."monthly_report"'],
      },
    ]);
    expect(report.applied.filter(({ sql }) => sql.includes('monthly_report'))).toEqual([]);
  });

  test('a second heal finds nothing to do and writes nothing down', async () => {
    const runs = (await migrator.history()).length;
    const written =
      'select max(xmin::text::bigint) as last from (select xmin from staff union all select xmin from tenants) r';
    const rowsBefore = await database.query(written);
    const second = await migrator.heal();
    expect(await database.query(written)).toEqual(rowsBefore);
    expect(second).toMatchObject({
      outcome: 'nothing-to-do',
      runId: null,
      applied: [],
      open: [],
      failed: [],
    });
    expect(await migrator.history()).toHaveLength(runs);
    expect(await migrator.check()).toMatchObject({
      verdict: 'in-sync',
      desiredHash: before.check.desiredHash,
      schemas: ['public'],
    });
  });

  test('the application can now work with its entities', async () => {
    const dataSource = await openDataSource(database.url, HOTEL);
    const found = await dataSource.getRepository('staff').find({ where: { username: 'nodots' } });
    expect(found).toEqual([
      expect.objectContaining({ first_name: 'nodots', permissions: '[]', is_active: true }),
    ]);
  });
});
