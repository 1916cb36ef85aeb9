import { expect, test } from 'vitest';
import { withColumnRenamed, withNamesQuoted } from '../../src/schema/identifiers-in.js';
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
