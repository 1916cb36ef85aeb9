import { afterAll, beforeAll, expect, test } from 'vitest';
import { castElements } from '../../src/schema/array-casts.js';
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
])('%s is one text, carried out once or twice', async (condition) => {
  const once = await printed(condition);
  const twice = await printed(once);
  expect(castElements(once)).toBe(castElements(twice));
  expect(castElements(twice)).toBe(await printed(twice));
});
