import { expect, test } from 'vitest';
import { startHotel, type HotelProcess } from '../e2e/hotel-process.js';
import { createTestDatabase } from '../setup/database.js';

// Larger by `npm run test:replicas`.
const REPLICAS = Number(process.env['REPLICAS'] ?? 6);
const ROUNDS = Number(process.env['ROUNDS'] ?? 1);

/** Of a round in `npm test` other test files take a part of the processor. */
const SLOWEST_MS = process.env['REPLICAS'] === undefined ? 10_000 : 2000;

/** When its schema was as it should be, by its own log. */
function healthyAt({ log }: HotelProcess): number {
  const line = log.findLast(({ message }) => message === 'Done' || message === 'In sync: nothing to do');
  if (!line) throw new Error(`It was never healthy: ${JSON.stringify(log)}`);
  return line.timestamp;
}

const rounds = Array.from({ length: ROUNDS }, (_, i) => i + 1);

test.each(rounds)(
  `${REPLICAS} replicas begin at the same moment, round %d`,
  async () => {
    const database = await createTestDatabase({ template: 'hotel' });
    const hotels = Array.from({ length: REPLICAS }, () =>
      startHotel(database, {
        migration: { waitForHealerMs: 120_000, bootstrapBudgetMs: 120_000, background: false },
        together: true,
      }),
    );
    await Promise.all(hotels.map(({ loaded }) => loaded));
    hotels.forEach(({ begin }) => begin());
    const healths = await Promise.all(hotels.map(({ health }) => health()));

    expect(healths).toMatchObject(hotels.map(() => ({ status: 'ok' })));
    const steps = healths.map(({ details }) => Number(details['schema']?.['appliedSteps']));
    const [applied = 0] = steps.filter((count) => count > 0);
    expect(steps.filter((count) => count > 0)).toHaveLength(1);
    expect(await database.query('select outcome from auto_migration.run')).toEqual([{ outcome: 'healed' }]);
    const [journal] = await database.query(
      `select count(*)::int as steps, count(distinct sql)::int as different,
       count(*) filter (where outcome <> 'applied')::int as others from auto_migration.step`,
    );
    expect(journal).toEqual({ steps: applied, different: applied, others: 0 });
    expect(await database.query('select count(*)::int as claims from auto_migration.claim')).toEqual([
      { claims: 1 },
    ]);

    const healer = hotels[steps.indexOf(applied)];
    const healed = healer ? healthyAt(healer) : 0;
    // Who came to look only after the healer was done has waited for the processor, not for it.
    const waits = hotels.map((hotel) => healthyAt(hotel) - Math.max(healed, hotel.connectedAt()));
    const [slowest, last] = [Math.max(...waits), Math.max(...hotels.map(healthyAt)) - healed];
    console.log(
      `${REPLICAS} replicas: the healer took ${healed - (healer?.connectedAt() ?? 0)} ms, the slowest ${slowest} ms more than it (the last, to begin with, ${last} ms)`,
    );
    expect(slowest).toBeLessThan(SLOWEST_MS);
    hotels.forEach(({ signal }) => signal('SIGKILL'));
    await Promise.all(hotels.map(({ ended }) => ended));
    await database.drop();
  },
  300_000,
);
