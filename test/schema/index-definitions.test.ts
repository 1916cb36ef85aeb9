import { beforeAll, describe, expect, test } from 'vitest';
import { connectorOf } from '../../src/desired/data-source.js';
import type { Connection } from '../../src/schema/connection.js';
import { readSchema } from '../../src/schema/read-schema.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { POSTGRES_MAJOR } from '../setup/versions.js';

let connection: Connection;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`
    create extension citext;
    create type mood as enum ('good', 'bad');
    create domain email as text;
    create domain spelled as text collate "C";
    create domain nickname as citext;
    create table guest (
      id integer, code varchar(9), title text, "from" text, "Größe" numeric(5, 2), arrived date, "a""b" bigint, "US ING" text,
      fixed char(3), spelled text collate "C", address inet, net cidr, mood mood, moods mood[], tags text[], folded citext,
      email email, plain spelled, nickname nickname, label name, place point, bits bit(3), flags varbit, relation regclass, at timestamptz
    )`);
  connection = await connectorOf(await openDataSource(database.url, []))();
  return () => connection.close();
});

/** By hand, as we build the definitions of plain indexes ourselves. */
const INDEXES: readonly string[] = [
  '(id)',
  '(code)',
  '(title, id, code)',
  '("from")',
  '("Größe")',
  '("a""b", "US ING")',
  '(id desc)',
  '(id nulls first)',
  '(id desc nulls last, code)',
  '(id, code desc)',
  '(code text_pattern_ops)',
  '(title text_pattern_ops)',
  '(title varchar_ops)',
  '(fixed)',
  '(fixed bpchar_pattern_ops)',
  '(title collate "C")',
  '(id, title collate "C")',
  '(spelled)',
  '(spelled collate "default")',
  '(spelled collate "POSIX")',
  '(plain)',
  '(plain collate "default")',
  '(email)',
  '(label)',
  '(label collate "default")',
  '(address)',
  '(net)',
  '(mood)',
  '(moods)',
  '(tags)',
  '(folded)',
  '(folded text_ops)',
  '(nickname)',
  '(nickname text_ops)',
  '(bits)',
  '(flags)',
  '(relation)',
  '(at)',
  '(lower(title))',
  '((id + 1), code)',
  '(id) include (code)',
  '(id) where id > 0',
  '(id) with (fillfactor = 50)',
  '(id) with (fillfactor = 50) where id > 0',
  'using hash (id)',
  'using gist (place)',
  'using gin (tags)',
  'using brin (id)',
  'using brin (id) with (pages_per_range = 8)',
];

const SINCE_15: readonly string[] = [
  '(id) nulls not distinct',
  '(id desc) nulls not distinct',
  '(id) nulls not distinct where id > 0',
];

/** What PostgreSQL prints, but for the head and storage parameters. */
const PRINTED = `set local search_path = pg_catalog;
  select substring(regexp_replace(pg_get_indexdef(indexrelid), ' WITH \\([^)]*\\)(?= WHERE |$)', '') from ' (USING \\w+ .*)$')
    as definition,
    array(select pg_get_indexdef(indexrelid, k, false) from generate_series(1, indnkeyatts) k) as keys
  from pg_index where indexrelid = 'public.by_hand'::regclass`;

async function readIndex() {
  const { tables } = await readSchema(connection, [{ actual: 'public', reportedAs: 'public' }]);
  const [index] = tables.find(({ name }) => name === 'guest')?.indexes ?? [];
  return index;
}

async function printedOf(index: string) {
  await database.query(`drop index if exists by_hand; create ${index}`);
  const [printed] = await database.query<{ definition: string; keys: string[] }>(PRINTED);
  return printed;
}

describe('an index is read as PostgreSQL prints it', () => {
  test.each(POSTGRES_MAJOR < 15 ? INDEXES : [...INDEXES, ...SINCE_15])('%s', async (ddl) => {
    const printed = await printedOf(`index by_hand on guest ${ddl}`);
    expect(await readIndex()).toMatchObject({ definition: printed?.definition, uniqueKeys: [] });
  });

  const unique = INDEXES.filter((ddl) => !ddl.includes('using'));

  test.each(POSTGRES_MAJOR < 15 ? unique : [...unique, ...SINCE_15])('unique %s', async (ddl) => {
    const printed = await printedOf(`unique index by_hand on guest ${ddl}`);
    expect(await readIndex()).toMatchObject({ definition: printed?.definition, uniqueKeys: printed?.keys });
  });
});

/** Only superusers make them. */
const CLASSES = `
  create domain own as integer;
  create operator class own_ops default for type own using btree as function 1 (own, own) btint4cmp (integer, integer);
  create operator class short_ops default for type varchar using btree as
    function 1 (varchar, varchar) bttextcmp (text, text);
  alter table guest add own own`;

test('so it is among operator classes for domains, and for types that PostgreSQL has none for', async ({
  skip,
}) => {
  const [role] = await database.query<{ super: string }>(`select current_setting('is_superuser') as super`);
  skip(role?.super !== 'on', 'only superusers make operator classes');
  await database.query(CLASSES);
  for (const keys of ['(own)', '(own own_ops)', '(code)', '(code short_ops)', '(code text_ops)', '(title)']) {
    const printed = await printedOf(`index by_hand on guest ${keys}`);
    expect(await readIndex()).toMatchObject({ definition: printed?.definition });
  }
});

test('so are those of the catalogs themselves, with types that nobody has in mind', async () => {
  const { tables } = await readSchema(connection, [{ actual: 'pg_catalog', reportedAs: 'pg_catalog' }]);
  const read = tables.flatMap(({ name, indexes }) =>
    indexes.map((index) => `${name} ${index.name} ${index.definition}`),
  );
  const printed = await database.query<{ line: string }>(`
    select format('%s %s %s', c.relname, i.relname, substring(pg_get_indexdef(i.oid) from ' (USING .*)$')) as line
    from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
    where c.relnamespace = 'pg_catalog'::regnamespace and not x.indisprimary`);
  expect(read.toSorted()).toEqual(printed.map(({ line }) => line).toSorted());
});
