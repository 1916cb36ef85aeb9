import { EntitySchema, type DataSource } from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { AutoMigrator, type CheckReport } from '../../src/auto-migrator.js';
import type { HealReport } from '../../src/heal/heal-report.js';
import type { Execution } from '../../src/plan/proposal.js';
import { quoteIdentifier, truncateIdentifier } from '../../src/schema/identifier.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { TYPEORM_MAJOR } from '../setup/versions.js';
import { openDataSource } from './open-data-source.js';

/** Each is the name of a schema, of a table in it, of a column, and a part of the names of its constraints. */
const NAMES: [title: string, name: string][] = [
  ['capitals', 'MixedCase'],
  ['spaces', ' two  words '],
  ['an apostrophe', "it's"],
  ['double quotes', '"so" "called'],
  ['a backslash', 'back\\slash\\'],
  ['umlauts', 'größe'],
  ['other scripts', '客房 غرفة'],
  ['an emoji', 'room 🛎️'],
  ['a semicolon and a comment', 'x; drop table staff; --'],
  ['a comment', '/* x */'],
  ['a placeholder', '$1'],
  ['a dollar quote', '$$'],
  ['a replacement pattern', "$& $' $`"],
  ['a format', '%I %s'],
  ['brackets', 'a(b)[c]{d}'],
  ['a new line', 'two\nlines'],
  ["an index's own words", 'x ON y USING btree (z) WITH (fillfactor=70) WHERE w'],
  ["a constraint's own words", 'CHECK (x) NOT VALID'],
  ['digits first', '1st'],
  ['reserved: call', 'call'],
  ['reserved: user', 'user'],
  ['reserved: order', 'order'],
  ['reserved: select', 'select'],
  ['63 bytes', 'a'.repeat(63)],
  ['64 bytes', 'b'.repeat(64)],
  ['200 bytes', 'c'.repeat(200)],
  ['a character that the 63rd byte would cut', `${'d'.repeat(62)}ü and more`],
];

/** The prefix keeps names apart that PostgreSQL cuts at 63 bytes. */
const named = (prefix: string, name: string): string => `${prefix} ${name}`;

/** TypeORM itself looks for a type by a name that it puts between apostrophes as it is. */
const mayNameType = (name: string): boolean => !name.includes("'");

/** TypeORM 0.3 puts names between quotes as they are, in its queries, too. */
const mayQuery = (name: string): boolean => TYPEORM_MAJOR > 0 || !name.includes('"');

const entities = NAMES.map(
  ([, name], number) =>
    new EntitySchema<Record<string, unknown>>({
      name: `Case${number}`,
      schema: name,
      tableName: name,
      columns: {
        id: { type: 'integer', primary: true, generated: 'increment' },
        value: { name, type: 'text', default: "o''clock", comment: `on ${name}` },
        other: { name: named('n', name), type: 'integer', nullable: true },
        ...(mayNameType(name)
          ? {
              state: {
                name: named('e', name),
                type: 'enum',
                enumName: named('t', name),
                enum: ['a'],
                default: 'a',
              },
            }
          : {}),
      },
      indices: [{ name: named('i', name), columns: ['value'], where: '"id" > 0' }],
      uniques: [{ name: named('u', name), columns: ['other'] }],
      checks: [{ name: named('c', name), expression: '"id" > 0' }],
    }),
);

const existing = NAMES.map(([, name]) => {
  const [schema, table] = [quoteIdentifier(name), `${quoteIdentifier(name)}.${quoteIdentifier(name)}`];
  return `create schema ${schema}; create table ${table} (id serial primary key); insert into ${table} default values`;
}).join('; ');

const STARTS: { start: string; sql: string; execution: Execution; rows: number }[] = [
  { start: 'an empty database', sql: 'select 1', execution: 'online', rows: 0 },
  { start: 'tables that are there', sql: existing, execution: 'online', rows: 1 },
  { start: 'tables that are there', sql: existing, execution: 'atomic', rows: 1 },
];

describe.each(STARTS)('hostile names, from $start, execution $execution', ({ sql, execution, rows }) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let report: HealReport;
  let check: CheckReport;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(sql);
    dataSource = await openDataSource(database.url, entities);
    const migrator = new AutoMigrator(dataSource, { execution });
    report = await migrator.heal();
    check = await migrator.check();
  });

  test('all are healed', () => {
    expect(report).toMatchObject({ outcome: 'healed', open: [], failed: [], error: null });
    const strange = check.drift.filter(({ kind }) => kind !== 'named-differently');
    expect({ ...check, drift: strange }).toMatchObject({ verdict: 'in-sync', drift: [], error: null });
  });

  const numbered = NAMES.map(([title, name], number) => ({ title, name: truncateIdentifier(name), number }));

  test.each(numbered)('$title', async ({ name, number }) => {
    const columns = await database.query(
      `select a.attname as column, format_type(a.atttypid, null) as type, col_description(c.oid, a.attnum) as comment
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 1
       where c.relnamespace = (select oid from pg_namespace where nspname = $1) and c.relname = $1 order by a.attnum`,
      [name],
    );
    const wanted = [name, named('n', name), ...(mayNameType(name) ? [named('e', name)] : [])];
    expect(columns.map(({ column }) => column)).toEqual(wanted.map(truncateIdentifier));
    expect(columns[0]).toMatchObject({ type: 'text', comment: expect.stringContaining('on ') as string });
    const relations = await database.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'i' and relnamespace = (select oid from pg_namespace where nspname = $1)
       union all select conname from pg_constraint where contype = 'c' and connamespace = (select oid from pg_namespace where nspname = $1)`,
      [name],
    );
    for (const prefix of ['i', 'u', 'c']) {
      expect(relations.map((each) => each.name)).toContain(truncateIdentifier(named(prefix, name)));
    }
    if (!mayQuery(name)) return;
    // The application finds it, and what was there has the default.
    const repository = dataSource.getRepository(`Case${number}`);
    await repository.insert({ other: 1 });
    expect(await repository.countBy({ value: "o'clock" })).toBe(rows + 1);
  });
});
