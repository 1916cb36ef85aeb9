import { EntitySchema } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { displayName } from '../../src/schema/identifier.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { openDataSource } from './open-data-source.js';

const id = { type: 'integer', primary: true, generated: 'increment' } as const;
const nullable = true;

/** Whatever PostgreSQL prints differently under some setting. */
const ENTITIES = [
  new EntitySchema({
    name: 'room',
    columns: {
      id,
      kind: { type: 'enum', enum: ['single', 'double'], default: 'single' },
      label: { type: 'text', default: () => `E'back\\\\slash'` },
      opened: { type: 'timestamptz', default: () => `'2026-03-01 12:00:00+01'::timestamptz` },
      closes: { type: 'date', default: () => `date '2026-12-31'` },
      stay: { type: 'interval', default: () => `interval '1 day -02:00'` },
      price: { type: 'double precision', default: 0.1 },
      raw: { type: 'bytea', nullable, default: () => `E'\\\\x00ff'::bytea` },
      order: { type: 'integer', nullable },
    },
    indices: [
      { name: 'room_order', columns: ['order'], where: `"opened" > '2026-01-01 00:00:00+00'::timestamptz` },
    ],
    checks: [{ name: 'room_opened', expression: `"opened" > timestamptz '2000-01-01 00:00:00+00'` }],
  }),
  new EntitySchema<Record<string, unknown>>({
    name: 'stay',
    columns: { id, room_id: { type: 'integer', nullable } },
    relations: { room: { type: 'many-to-one', target: 'room', joinColumn: { name: 'room_id' } } },
  }),
];

async function migratorOf(database: TestDatabase, settings: string): Promise<AutoMigrator> {
  const options = settings === '' ? {} : { extra: { options: settings } };
  return new AutoMigrator(await openDataSource(database.url, ENTITIES, options), { execution: 'online' });
}

const SETTINGS = [
  '-c quote_all_identifiers=on',
  '-c DateStyle=German',
  '-c TimeZone=Asia/Kathmandu',
  '-c IntervalStyle=sql_standard',
  '-c IntervalStyle=iso_8601',
  '-c extra_float_digits=-10',
  '-c bytea_output=escape',
  '-c standard_conforming_strings=off -c escape_string_warning=off',
  '-c default_transaction_isolation=serializable',
  '-c default_transaction_deferrable=on',
  '-c statement_timeout=20s -c lock_timeout=20s',
  '-c client_min_messages=debug1',
  '-c row_security=off',
  '-c check_function_bodies=off',
  '-c enable_seqscan=off',
];

describe.concurrent('what the session is set to changes no verdict', () => {
  test.each(SETTINGS)('%s', async (settings) => {
    const database = await createTestDatabase();
    await database.query('create table room (id serial primary key); insert into room default values');
    const migrator = await migratorOf(database, settings);
    expect(await migrator.heal()).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    // Another process has other settings, and finds what the first one remembered of the desired schema.
    for (const other of [settings, '']) {
      const again = await migratorOf(database, other);
      const { verdict, drift, error } = await again.check();
      expect({ verdict, drift, error }).toMatchObject({ verdict: 'in-sync', error: null });
      expect(drift.filter(({ kind }) => kind !== 'named-differently')).toEqual([]);
    }
    // What the new columns got is what the entities say.
    const rows = await database.query(
      `select kind, label, opened = '2026-03-01 11:00:00+00' as opened, closes = '2026-12-31' as closes,
         stay = interval '1 day' - interval '2 hours' as stay, price, raw = decode('00ff', 'hex') as raw from room`,
    );
    expect(rows).toEqual([
      { kind: 'single', label: 'back\\slash', opened: true, closes: true, stay: true, price: 0.1, raw: true },
    ]);
    await database.drop();
  });
});

describe('the search path', () => {
  const TABLE = 'create table room (id serial primary key)';

  /** The path, the schema that the entities are healed in, and what there is to begin with. */
  const paths: [path: string, schema: string, legacy: string][] = [
    ['app, public', 'app', `create schema app; set search_path = app; ${TABLE}`],
    [
      '"Front Desk", public',
      'Front Desk',
      `create schema "Front Desk"; set search_path = "Front Desk"; ${TABLE}`,
    ],
    ['nowhere, public', 'public', TABLE],
    ['nowhere', 'public', TABLE],
    ['', 'public', TABLE],
    ['"$user", public', 'public', TABLE],
  ];

  test.each(paths)('%j of the database: the tables of %s', async (path, schema, legacy) => {
    const database = await createTestDatabase();
    await database.query(`${legacy}; reset search_path`);
    const own = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${own} set search_path = ${path === '' ? "''" : path}`);
    const migrator = await migratorOf(database, '');
    const report = await migrator.heal();
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    expect(new Set(report.applied.map(({ table }) => table?.split('.')[0]))).toEqual(
      new Set([displayName(schema), undefined]),
    );
    expect(await migrator.check()).toMatchObject({ verdict: 'in-sync', schemas: [schema] });
    const tables = await database.query<{ schema: string; name: string }>(
      `select relnamespace::regnamespace::text as schema, relname as name from pg_class
       where relkind = 'r' and relname in ('room', 'stay') order by 2`,
    );
    expect(tables).toEqual(['room', 'stay'].map((name) => ({ schema: displayName(schema), name })));
    await database.drop();
  });
});

describe('a session that may only read', () => {
  const READ_ONLY = '-c default_transaction_read_only=on';

  test('is told why nothing can be compared, and changes nothing', async () => {
    const database = await createTestDatabase();
    const migrator = await migratorOf(database, READ_ONLY);
    const check = await migrator.check();
    expect(check).toMatchObject({ verdict: 'unknown', drift: [] });
    expect(check.error).toContain('read-only transaction');
    expect(await migrator.heal()).toMatchObject({ outcome: 'failed', applied: [], error: check.error });
  });

  test('compares with what another process has remembered', async () => {
    const database = await createTestDatabase();
    const writer = await migratorOf(database, '');
    expect(await writer.heal()).toMatchObject({ outcome: 'healed' });
    const reader = await migratorOf(database, READ_ONLY);
    expect(await reader.check()).toMatchObject({ verdict: 'in-sync', drift: [], error: null });
    await database.query('alter table room drop column kind');
    expect(await reader.check()).toMatchObject({ verdict: 'drift', drift: [{ object: 'public.room.kind' }] });
  });
});
