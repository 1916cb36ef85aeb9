import { expect, test } from 'vitest';
import { withColumnRenamed, withNamesQuoted, withoutCasts } from '../../src/schema/identifiers-in.js';
import { createTestDatabase } from '../setup/database.js';

test.for([
  ['year', `extract(year from "year"::date) > 2000`],
  ['time', `"time"::timestamp > '2020-01-01'::timestamp(3) and time is not null`],
  ['zone', `(zone::timestamptz at time zone 'UTC') > now()::timestamp without time zone`],
  ['varying', `varying::varchar(3) <> 'varying' or "varying"::varbit is not null`],
  ['precision', `"precision"::double precision > 1`],
  ['lower', `lower(lower) = lower || ' lower'`],
  ['text', `text::text <> 'text'`],
  ['a "b"', `"a ""b""" <> '"a ""b"""'`],
  ['order', `"order" <> 'order'`],
])('what PostgreSQL prints once %s is renamed is known before', async ([name = '', condition]) => {
  const database = await createTestDatabase();
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await database.query(`create table it (${quoted} text, constraint it check (${condition}))`);
  const printed = async (): Promise<string> => {
    const [row] = await database.query<{ text: string }>(
      `select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'it'`,
    );
    return row?.text ?? '';
  };
  const before = await printed();
  await database.query(`alter table it rename ${quoted} to "New Name"`);
  const after = await printed();
  expect(after).not.toBe(before);
  expect(withColumnRenamed(before, name, '"New Name"')).toBe(after);
});

test('texts are the same whoever has quoted their names', () => {
  expect(withNamesQuoted(`lower(a) <> 'a "b"'`)).toBe(withNamesQuoted(`lower("a") <> 'a "b"'`));
  expect(withNamesQuoted('lower(a)')).not.toBe(withNamesQuoted('lower("A")'));
});

test.for([
  ['varchar(20)', 'text', `code <> 'x'`],
  ['varchar(20)', 'text', `code in ('a', 'b')`],
  ['varchar(20)', 'text', `lower(code) like '%(x)::text%' or (code || 'y') > 'z'`],
  ['varchar(20)', 'text', `code between 'a' and 'f' and length(code) > 3`],
  ['char(5)', 'text', `code <> 'x'`],
  ['text', 'varchar(20)', `code = 'it''s ::text'`],
  ['integer', 'numeric(10,2)', `code > 0 and code < 100`],
  ['varchar(20)[]', 'text[]', `code @> '{a}'`],
] as const)(
  'what PostgreSQL prints of a %s is the same of a %s, but for casts: %s',
  async ([from, to, condition]) => {
    const database = await createTestDatabase();
    const printed = async (type: string): Promise<string> => {
      await database.query(`create table it (code ${type}, constraint it check (${condition}))`);
      const [row] = await database.query<{ text: string }>(
        `select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'it'`,
      );
      await database.query('drop table it');
      return row?.text ?? '';
    };
    const [before, after] = [await printed(from), await printed(to)];
    expect(after).not.toBe(before);
    expect(withoutCasts(after)).toBe(withoutCasts(before));
  },
);

test.each([
  ['(code)::integer > 0', 'code > 0'],
  [`code <> 'x'`, `code <> 'y'`],
  ['lower(code)', '(lower) code'],
  ['(a OR b) AND c', 'a OR (b AND c)'],
])('what is not the same but for casts stays: %s and %s', (one, other) => {
  expect(withoutCasts(one)).not.toBe(withoutCasts(other));
});
