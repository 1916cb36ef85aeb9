import { hostname } from 'node:os';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AutoMigrationModuleOptions } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { block, blockIndexes, holdSnapshot, sessionsOf, waitingOf, type Blocker } from './blocker.js';
import { startHotel, type HotelProcess } from './hotel-process.js';

const PATIENCE = 40_000;
const patient: AutoMigrationModuleOptions = { lockTimeoutMs: 60_000, shutdownTimeoutMs: 600_000 };

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase({ template: 'hotel' });
});

const untilWaiting = (): Promise<void> =>
  vi.waitFor(async () => expect(await waitingOf(database)).toHaveLength(1), PATIENCE);

const untilNobodyIsLeft = (): Promise<void> =>
  vi.waitFor(async () => expect(await sessionsOf(database)).toEqual([]), PATIENCE);

/** What the journal says of the runs, and of each statement how often it was carried out. */
async function journal(): Promise<{ runs: unknown[]; repeated: unknown[] }> {
  const runs = await database.query('select outcome from auto_migration.run order by id');
  return {
    runs: runs.map(({ outcome }) => outcome),
    repeated: await database.query(
      `select sql, count(*)::int as times from auto_migration.step where outcome = 'applied' group by sql having count(*) > 1`,
    ),
  };
}

/** Healthy, after so many steps of its own. */
async function stepsOf(hotel: HotelProcess): Promise<unknown> {
  const { status, details } = await hotel.health();
  expect({ status, ...details }).toMatchObject({ status: 'ok', schema: { status: 'up', reason: 'in-sync' } });
  return details['schema']?.['appliedSteps'];
}

const WAITING = 'Waiting for another healer';
const HEALER = {
  pid: expect.any(Number) as number,
  // Null where it was asked for before the healer had written down its run.
  host: expect.toBeOneOf([hostname(), null]) as string,
  applicationName: 'nestjs-auto-migration',
  address: expect.any(String) as string,
  since: expect.stringMatching(/Z$/) as string,
};

/** Online: columns (20), the check and its validation, the table, 3 foreign keys and 2 validations, 8 indexes. */
const STEPS = 36;

describe('two applications that start at the same moment', () => {
  test('one heals while the other waits, both end healthy, and each step is done once', async () => {
    // The one that came first hangs in an index build, so that the other comes while it heals.
    const blocker = await holdSnapshot(database);
    const hotels = [1, 2].map(() => startHotel(database, { migration: patient }));
    await untilWaiting();
    const waits = (): unknown =>
      hotels.map(({ log }) => log.find(({ message }) => message === WAITING)?.params);
    await vi.waitFor(() => expect(waits()).toContainEqual({ healer: HEALER }), PATIENCE);
    await blocker.release();
    const steps = await Promise.all(hotels.map(stepsOf));
    expect(steps).toEqual(expect.arrayContaining([0, STEPS]));
    expect(await journal()).toEqual({ runs: ['healed'], repeated: [] });
    expect(hotels.map(({ log }) => log.map(({ message }) => message)).flat()).toEqual(
      expect.arrayContaining(['Done', 'In sync: nothing to do']),
    );
    await untilNobodyIsLeft();
  });

  test('one that may not wait watches, says who is healing, and is healthy at its next tick', async () => {
    const blocker = await holdSnapshot(database);
    const healing = startHotel(database, { migration: patient });
    await untilWaiting();
    const watching = startHotel(database, {
      migration: { waitForHealerMs: 0, cron: '* * * * * *', jitterMs: 0 },
    });
    expect(await watching.health()).toMatchObject({
      status: 'degraded',
      info: { schema: { reason: 'another-healer', appliedSteps: 0 } },
    });
    expect(watching.log).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'Another process is healing' }),
    );
    await blocker.release();
    expect(await stepsOf(healing)).toBe(STEPS);
    await vi.waitFor(async () => expect(await stepsOf(watching)).toBe(0), PATIENCE);
    expect(await journal()).toEqual({ runs: ['healed'], repeated: [] });
  });
});

/** Nothing else of this table is missing, so that its indexes are what is hung at. */
async function blockCleanup(): Promise<Blocker> {
  await database.query(`alter table call add satisfaction smallint,
    add constraint chk_call_satisfaction check (satisfaction between 1 and 5);
    alter table request add foreign key (call_id) references call (id)`);
  return blockIndexes(database, 'call');
}

describe('SIGTERM', () => {
  /** Where a healing can hang for as long as somebody else likes. */
  const hangs: [title: string, hang: () => Promise<Blocker>, at: string][] = [
    ['a wait for a lock', () => block(database, 'staff'), 'ALTER TABLE "public"."staff" ADD COLUMN'],
    ['an index build', () => holdSnapshot(database), 'CREATE INDEX CONCURRENTLY'],
    ['an index build that cannot be cleaned up', blockCleanup, 'CREATE INDEX CONCURRENTLY'],
  ];

  test.each(hangs)(
    'during %s ends the process, leaves nothing, and the next start goes on',
    async (_title, hang, at) => {
      const blocker = await hang();
      const hotel = startHotel(database, { migration: { ...patient, shutdownTimeoutMs: 2000 } });
      await untilWaiting();
      expect(await waitingOf(database)).toEqual([expect.stringContaining(at)]);
      hotel.signal('SIGTERM');
      expect(await hotel.ended).toBe('SIGTERM');
      await untilNobodyIsLeft();
      await blocker.release();

      const next = startHotel(database);
      await stepsOf(next);
      expect((await journal()).repeated).toEqual([]);
      const invalid = 'select indexrelid::regclass::text as index from pg_index where not indisvalid';
      expect(await database.query(invalid)).toEqual([]);
    },
  );
});

test('a process that is killed leaves a run that was interrupted, and the next start goes on', async () => {
  const blocker = await block(database, 'staff');
  const hotel = startHotel(database, { migration: patient });
  await untilWaiting();
  hotel.signal('SIGKILL');
  expect(await hotel.ended).toBe('SIGKILL');
  await untilNobodyIsLeft();
  await blocker.release();
  await stepsOf(startHotel(database));
  expect(await journal()).toEqual({ runs: [null, 'healed'], repeated: [] });
});

test.each([true, false])('closed, it ends by itself (with a ScheduleModule: %s)', async (schedule) => {
  const migration: AutoMigrationModuleOptions = { cron: '* * * * * *', jitterMs: 60_000 };
  const hotel = startHotel(database, { migration, schedule });
  expect(await stepsOf(hotel)).toBe(STEPS);
  hotel.signal('SIGUSR2');
  expect(await hotel.ended).toBe(0);
  await untilNobodyIsLeft();
});
