import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { HotelProcess, startHotel } from './hotel-sample.js';

interface Health {
  readonly status: string;
  readonly details: { readonly schema: { readonly reason: string; readonly appliedSteps: number } };
}

const running: HotelProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((hotel) => hotel.stop()));
});

async function start(database: TestDatabase, environment?: Record<string, string>) {
  const started = await startHotel(database.url, environment);
  running.push(started.hotel);
  return started;
}

async function get<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url);
  return (await response.json()) as Answer;
}

const ROWS = `select json_build_object(
    'staff', (select count(*) from staff), 'tenants', (select count(*) from tenants),
    'call', (select count(*) from call), 'request', (select count(*) from request),
    'report', (select md5(string_agg(r::text, '|' order by month)) from monthly_report r)) as rows`;

/** The sample's own script. */
function migrateAuto(): string {
  const manifest = readFileSync(new URL('../../sample/hotel/package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { scripts: Record<string, string> }).scripts['migrate:auto'] ?? '';
}

/** Rows whose new columns do not hold what the scenario says. */
const WRONGLY_FILLED = `
  select username as row from staff
  where display_name is distinct from username or first_name is distinct from split_part(username, '.', 1)
    or case when strpos(username, '.') > 0 then first_name || '.' || last_name is distinct from username else last_name <> '' end
  union all select id from tenants where hotel_name is distinct from name or subdomain is distinct from id`;

describe('the hotel sample', () => {
  test('loads the legacy database, heals it, serves, and finds nothing to do at the second start', async () => {
    const legacy = await createTestDatabase({ template: 'hotel' });
    const database = await createTestDatabase();

    const first = await start(database);
    expect(first.hotel.output).toContain('Loaded the legacy database');
    const health = await get<Health>(`${first.url}/health`);
    expect(health).toMatchObject({ status: 'ok', details: { schema: { reason: 'in-sync' } } });
    expect(health.details.schema.appliedSteps).toBeGreaterThan(20);
    const staff = await get<unknown[]>(`${first.url}/staff?tenant=tenant-1`);
    expect(staff).toHaveLength(27);
    expect(staff[0]).toMatchObject({ permissions: '[]', isActive: true });
    expect(await database.query(ROWS)).toEqual(await legacy.query(ROWS));
    expect(await database.query(WRONGLY_FILLED)).toEqual([]);
    expect((await first.hotel.stop()).output).not.toMatch(/ERROR|WARN/);

    const second = await start(database);
    expect(second.hotel.output).not.toContain('Loaded');
    expect(second.hotel.output).toContain('nothing to do');
    expect((await get<Health>(`${second.url}/health`)).details.schema.appliedSteps).toBe(0);
  });

  test('two processes on the legacy database at the same moment: both end healthy, each step is done once', async () => {
    const database = await createTestDatabase({ template: 'hotel' });
    const both = await Promise.all([start(database), start(database)]);
    for (const { url } of both)
      expect(await get<Health>(`${url}/health`)).toMatchObject({
        status: 'ok',
        details: { schema: { reason: 'in-sync' } },
      });
    const twice = await database.query(
      `select sql from auto_migration.step group by sql having count(*) > 1 or min(outcome) <> 'applied'`,
    );
    expect(twice).toEqual([]);
  });

  test('what "npm run drift" breaks is healed by the next tick, and /health tells', async () => {
    const database = await createTestDatabase({ template: 'hotel' });
    const { url } = await start(database, { CRON: '*/2 * * * * *' });
    const command = new HotelProcess('dist/commands/drift.js', {
      DATABASE_URL: database.url,
      PORT: new URL(url).port,
    });
    const { code, output } = await command.end();
    expect(code).toBe(0);
    expect(output).toMatch(/ok \(in-sync\)\n.*degraded \(healing\)\n.*ok \(in-sync\)\n$/);
  });

  test.each([
    {
      title: 'heals',
      environment: (url: string) => ({ DATABASE_URL: url }),
      says: /healed: 41 applied, 0 open/,
    },
    { title: 'is skipped without a database', environment: () => ({}), says: /DATABASE_URL/ },
  ])('"npm run migrate:auto" $title and ends with 0', async ({ environment, says }) => {
    const database = await createTestDatabase({ template: 'hotel' });
    const [, ...args] = migrateAuto().split(' ');
    const command = new HotelProcess('../../bin/auto-migrate.js', environment(database.url), args);
    const { code, output } = await command.end();
    expect(output).toMatch(says);
    expect(code).toBe(0);
  });
});
