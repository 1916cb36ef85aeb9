import { setTimeout as sleep } from 'node:timers/promises';
import { EntitySchema } from 'typeorm';
import { expect, test, vi } from 'vitest';
import { startApplication, type Application } from '../e2e/application.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';

// For longer by `npm run test:replicas`.
const SECONDS = Number(process.env['SIDE_BY_SIDE_SECONDS'] ?? 5);

/** Many times the distance of two ticks, as a busy machine ticks late. */
const contractAfterMs = 8000;

const migration = {
  cron: '* * * * * *',
  jitterMs: 0,
  execution: 'online',
  contractAfterMs,
  waitForHealerMs: 120_000,
} as const;

/** They contradict each other in type, default, nullability and in an index. */
const old = new EntitySchema({
  name: 'room',
  columns: {
    id: { type: 'integer', primary: true, generated: true },
    name: { type: 'varchar', length: 20, default: 'single' },
    note: { type: 'text' },
    floor: { type: 'integer', nullable: true },
  },
  indices: [{ name: 'idx_room', columns: ['name'] }],
});

const next = new EntitySchema({
  name: 'room',
  columns: {
    id: { type: 'integer', primary: true, generated: true },
    name: { type: 'varchar', length: 50, default: 'double' },
    note: { type: 'text', nullable: true },
    floor: { type: 'integer' },
  },
  indices: [{ name: 'idx_room', columns: ['name', 'note'] }],
});

/** What the two are at odds about, and what waits. */
async function shapeOf(database: TestDatabase): Promise<string> {
  const columns = await database.query(
    `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required,
       (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum) as expression
     from pg_attribute where attrelid = 'room'::regclass and attnum > 1 and not attisdropped order by attnum`,
  );
  const indexes = await database.query(
    `select indexdef as index from pg_indexes where tablename = 'room' and indexname like '%idx_room%'`,
  );
  return JSON.stringify([columns, indexes]);
}

const column = (name: string, type: string, required: boolean, expression: string | null): object => ({
  name,
  type,
  required,
  expression,
});

/** As the newer one wants it, but for the NOT NULL that would break an older one that leaves it out. */
const shape = (floorIsRequired: boolean): string =>
  JSON.stringify([
    [
      column('name', 'character varying(50)', true, "'double'::character varying"),
      column('note', 'text', false, null),
      column('floor', 'integer', floorIsRequired, null),
    ],
    [{ index: 'CREATE INDEX idx_room ON public.room USING btree (name, note)' }],
  ]);

const INSERTS = {
  old: `insert into room (name, note, floor) values (default, 'x', 0)`,
  next: 'insert into room (name, note, floor) values (default, null, 1)',
};

/** Inserts what a release inserts, again and again; answers with what went wrong. */
function use(database: TestDatabase, release: keyof typeof INSERTS): () => Promise<unknown[]> {
  const errors: unknown[] = [];
  const stopping = new AbortController();
  const inserting = (async () => {
    while (!stopping.signal.aborted) {
      await database.query(INSERTS[release]).catch((error: unknown) => errors.push(error));
      await sleep(50);
    }
  })();
  return async () => {
    stopping.abort();
    await inserting;
    return errors;
  };
}

const reasonOf = ({ migrations }: Application): string => migrations.status().reason;

test(
  'two releases side by side do not heal back and forth, and what would break the older one waits',
  async () => {
    const database = await createTestDatabase();
    const start = (...entities: EntitySchema[]): Promise<Application> =>
      startApplication({ database, entities, migration, health: 'none' });
    const olds = await Promise.all([start(old), start(old)]);
    const stopOld = use(database, 'old');
    const nexts = await Promise.all([start(next), start(next)]);
    const stopNext = use(database, 'next');

    const shapes = new Set<string>();
    const end = Date.now() + SECONDS * 1000;
    while (Date.now() < end) {
      shapes.add(await shapeOf(database));
      await sleep(100);
    }
    expect([...shapes]).toEqual([shape(false)]);
    await vi.waitFor(() => {
      expect(olds.map(reasonOf)).toEqual(['superseded', 'superseded']);
      expect(nexts.map(reasonOf)).toEqual(['older-release', 'older-release']);
    }, 10_000);
    expect([...olds, ...nexts].map(({ migrations }) => migrations.status().state)).toEqual(
      [1, 2, 3, 4].map(() => 'up'),
    );

    expect(await stopOld()).toEqual([]);
    await Promise.all(olds.map((application) => application.close()));
    await vi.waitFor(
      () => expect(nexts.map(reasonOf)).toEqual(['in-sync', 'in-sync']),
      contractAfterMs + 20_000,
    );
    expect(await shapeOf(database)).toBe(shape(true));
    expect(await stopNext()).toEqual([]);

    const repeated = `select sql, count(*) from auto_migration.step where sql not like '%auto_migration_%'
    group by sql having count(*) > 1`;
    expect(await database.query(repeated)).toEqual([]);
    const others = `select sql, error from auto_migration.step where outcome <> 'applied'`;
    expect(await database.query(others)).toEqual([]);
    // Nest has one logger for all applications of a process.
    const told = [...olds, ...nexts].flatMap(({ log }) => log.own.map(({ message }) => message));
    expect(told.filter((message) => message === 'A newer release leads: this one only watches')).toHaveLength(
      2,
    );
  },
  90_000 + SECONDS * 1000,
);
