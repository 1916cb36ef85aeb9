import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module, Scope } from '@nestjs/common';
import { EntitySchema, type EntityManager } from 'typeorm';
import { afterAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { DataFix, type DataFixTask } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../setup/database.js';
import { createApplication, startApplication } from './application.js';

const guest = new EntitySchema({
  name: 'guest',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text', nullable: true } },
});

async function guestDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await database.query('create table guest (id integer primary key); insert into guest values (1)');
  return database;
}

const namesOf = (database: TestDatabase): Promise<object[]> => database.query('select name from guest');

@Injectable()
class Names {
  of(id: number): string {
    return `guest ${id}`;
  }
}

@DataFix({ id: '2-shout' })
class Shout {
  run(manager: EntityManager): Promise<unknown> {
    return manager.query('update guest set name = upper(name)');
  }
}

@DataFix({ id: '1-names' })
class NameGuests implements DataFixTask {
  constructor(private readonly names: Names) {}

  run(manager: EntityManager): Promise<unknown> {
    return manager.query('update guest set name = $1', [this.names.of(1)]);
  }
}

@Module({ providers: [Names, NameGuests] })
class GuestsModule {}

describe('an application with data fixes', () => {
  test('runs those that it provides, wherever they are, after the healing and before it listens', async () => {
    const database = await guestDatabase();
    const application = await startApplication({
      database,
      entities: [guest],
      imports: [GuestsModule],
      // Twice provided it is one fix.
      providers: [Shout, NameGuests, Names],
    });
    expect(await namesOf(database)).toEqual([{ name: 'GUEST 1' }]);
    expect(application.log.own.filter(({ message }) => message === 'Data fix applied')).toMatchObject([
      { level: 'log', params: { id: '1-names' } },
      { level: 'log', params: { id: '2-shout' } },
    ]);
    expect(application.migrations.status()).toMatchObject({ state: 'up', reason: 'in-sync' });
  });

  @DataFix({ id: '1' })
  class Broken {
    run(): Promise<unknown> {
      return Promise.reject(new Error('there are no names'));
    }
  }

  test('starts degraded when one fails, and says which', async () => {
    const database = await guestDatabase();
    const application = await startApplication({ database, entities: [guest], providers: [Broken, Shout] });
    expect(application.log.find('A data fix failed')).toMatchObject({
      level: 'error',
      params: { id: '1', error: expect.stringContaining('there are no names') as string },
    });
    expect(application.log.find('Data fixes wait for what failed before')).toMatchObject({
      level: 'warn',
      params: { ids: ['2-shout'] },
    });
    expect((await application.get()).body.info).toMatchObject({
      schema: { status: 'degraded', reason: 'failed', openDrift: 0 },
    });
  });

  test("does not start when one fails and onFailure is 'abort'", async () => {
    const application = await createApplication({
      database: await guestDatabase(),
      entities: [guest],
      providers: [Broken],
      migration: { onFailure: 'abort' },
    });
    await expect(application.nest.init()).rejects.toThrow('The data fix 1 failed: there are no names');
  });

  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {}

  @DataFix({ id: 'per-request' })
  class NeedsARequest {
    constructor(readonly request: PerRequest) {}

    run(manager: EntityManager): Promise<unknown> {
      return manager.query('select 1');
    }
  }

  test.each([
    ['has no single instance', [NeedsARequest, PerRequest], 'per-request has no instance with a run()'],
    ['has the id of another', [Broken, class extends Broken {}], 'is the id of another one, too'],
  ])('says so when one %s', async (_what, providers, words) => {
    const application = await startApplication({
      database: await guestDatabase(),
      entities: [guest],
      providers,
    });
    expect(application.log.find('Could not look or heal')?.params['error']).toContain(words);
  });
});

describe('auto-migrate heal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auto-migrate-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function heal(url: string, fix: string): Promise<{ exitCode: number; text: string }> {
    const file = join(folder, `${crypto.randomUUID()}.mjs`);
    const typeorm = import.meta.resolve('typeorm');
    writeFileSync(
      file,
      `import { DataSource } from ${JSON.stringify(typeorm)};
       export const dataSource = new DataSource({ type: 'postgres', url: ${JSON.stringify(url)}, entities: [] });
       export const autoMigration = { dataFixes: [{ id: 'names', run: ${fix} }] };`,
    );
    const lines: string[] = [];
    const output = { out: (text: string) => lines.push(text), error: (text: string) => lines.push(text) };
    const exitCode = await runCommandLine(['heal', '-d', file], output, () => new AbortController().signal);
    return { exitCode, text: lines.join('\n') };
  }

  test.each([
    [0, `(manager) => manager.query("insert into guest values (2)")`, '  data fix names ('],
    [1, `() => Promise.reject(new Error('no names'))`, '  FAILED data fix names: no names. Rolled back'],
    [1, `'insert into guest'`, 'Option "dataFixes.0"'],
  ])("runs the data source file's, and exits %i", async (exitCode, fix, words) => {
    const result = await heal((await guestDatabase()).url, fix);
    expect(result.text).toContain(words);
    expect(result.exitCode).toBe(exitCode);
  });
});
