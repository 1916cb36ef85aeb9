import { afterAll, beforeAll, expect, test } from 'vitest';
import { settledText } from '../../src/schema/settled-text.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `create table list (v varchar(20), n integer, b bigint, c cidr, t text, "a, b]" varchar)`,
  );
});
afterAll(() => database.drop());

/** The condition of a check, as PostgreSQL prints it. */
async function printed(condition: string): Promise<string> {
  await database.query(
    `alter table list drop constraint if exists it; alter table list add constraint it check (${condition})`,
  );
  const [row] = await database.query<{ text: string }>(
    `set search_path = pg_catalog; select pg_get_expr(conbin, conrelid) as text from pg_constraint where conname = 'it'`,
  );
  await database.query('reset search_path');
  return row?.text ?? '';
}

test.for([
  `v in ('x', 'y')`,
  `v not in ('it''s', 'a, b]', '(ARRAY[', 'a"b')`,
  `"a, b]" in ('x', 'y') and v in ('x', upper('y'))`,
  `v = any (array[array['x'], array['y']]::varchar[])`,
  `v in ('x', 'y') or (n > 1 and v = any (array[t, 'z', lower(t || 'x')]))`,
  `b = any (array[1, 2, n]::bigint[])`,
  `v::varchar(3) = any (array['x', t]::varchar(3)[])`,
  `c in ('10.0.0.0/8', '10.0.0.1/32')`,
  `n in (1, 2)`,
  `t in ('x', 'y')`,
  `t = any ('{x,y}'::text[])`,
  `t = any (string_to_array(v, ',')::text[])`,
  `n between 1 and 5 and b > 0`,
  `b > 0 and n between 1 and 5`,
  `n between 1 and 5 and b between 2 and 6 and t <> ') AND ('`,
  `n not between 1 and 5 or b > 0`,
  `n between 1 and 5 or b > 0`,
  `n between symmetric 5 and 1 and b > 0`,
  `(n between 1 and 5 and b > 0 and v <> '🏨') and t is not null and "a, b]" > 'it''s ((' or n < 0`,
  `not (n between 1 and 5 and b > 0) and case when n between 1 and 2 and b = 3 then t = 'x' else v = 'y' end`,
  `n between 1 and 9 and case when n between 1 and 5 and b > 1 then t = 'x' else true end`,
  `(n, b) = (1, 2) and t = 'x'`,
  `(n, b) <> (1, 2) or t = 'x'`,
  `n not in (b, 3) and t = 'x'`,
  `n in (b, 3) or t = 'x'`,
  `(n > 1 and b > 0) is true and t = 'x'`,
  `(n between 1 and 5 and v in ('x', 'y')) = (b > 0) and n > 0`,
  `n between 1 and 5 and (v in ('x', 'y') or b between 1 and 2 or t = 'z')`,
])('%s is one text, carried out once or twice', async (condition) => {
  const once = await printed(condition);
  const twice = await printed(once);
  expect(settledText(once)).toBe(settledText(twice));
  expect(settledText(twice)).toBe(await printed(twice));
});
