import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Terminal } from '../../src/cli/output.js';
import { runCommandLine } from '../../src/cli/program.js';
import { printProgress, ShownProgress } from '../../src/cli/show-progress.js';
import type { HealProgress } from '../../src/heal/heal-progress.js';
import { createTestDatabase } from '../setup/database.js';

const building: HealProgress = {
  step: 3,
  of: 12,
  object: 'public.idx_stay',
  action: 'create index',
  phase: 'building index: scanning table',
  percent: 45,
  remainingMs: null,
  blockedBy: [],
};
const since = '2026-11-24T12:00:00.000Z';
const blocker = {
  pid: 7,
  applicationName: 'psql',
  state: 'idle in transaction',
  since,
  query: `select 'secret'`,
};

test.each<[Partial<HealProgress>, string]>([
  [{}, 'building index: scanning table, 45 %'],
  [{ phase: null, percent: null }, ''],
  [
    { phase: 'filling: 5 of about 9 rows', remainingMs: 1500 },
    'filling: 5 of about 9 rows, 45 %, about 2 s left',
  ],
  [{ phase: null, percent: 1, remainingMs: 200_000 }, '1 %, about 3 min left'],
  [{ phase: null, percent: 1, remainingMs: 9_000_000 }, '1 %, about 3 h left'],
  [
    { phase: null, percent: null, blockedBy: [blocker] },
    `waits for pid 7 (psql, idle in transaction since ${since})`,
  ],
])('%j is told as %s', (progress, told) => {
  const expected = ['step 3 of 12: create index public.idx_stay', told].filter(Boolean).join(', ');
  expect(printProgress({ ...building, ...progress })).toBe(expected);
});

describe('progress', () => {
  function shown(terminal?: Terminal) {
    const errors: string[] = [];
    let time = 0;
    const output = { out: () => undefined, error: (text: string) => void errors.push(text), terminal };
    const progress = new ShownProgress(output, () => time);
    return { progress, errors, at: (ms: number) => (time = ms) };
  }

  test('is one line of a terminal, that is written over, not longer than it, and gone at the end', () => {
    const written: string[] = [];
    const { progress, errors } = shown({ columns: 20, write: (text) => void written.push(text) });
    progress.onProgress(building);
    progress.onProgress({ ...building, step: 4 });
    progress.end();
    expect(written).toEqual(['\r\u001B[Kstep 3 of 12: creat', '\r\u001B[Kstep 4 of 12: creat', '\r\u001B[K']);
    expect(errors).toEqual([]);
  });

  test('is a line now and then elsewhere, and one as soon as somebody is in the way', () => {
    const { progress, errors, at } = shown();
    for (let ms = 0; ms < 35_000; ms += 250) {
      at(ms);
      progress.onProgress({ ...building, percent: ms / 1000, blockedBy: ms < 25_000 ? [] : [blocker] });
    }
    const told = errors.map((line) => [/(\d+) %/.exec(line)?.[1], line.includes('waits for pid 7')]);
    expect(told).toEqual([
      ['10', false],
      ['20', false],
      ['25', true],
    ]);
  });
});

describe('auto-migrate heal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'progress-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([true, false])(
    'tells who is in the way on stderr, never on stdout; on a terminal: %s',
    async (isTerminal) => {
      const database = await createTestDatabase();
      await database.query('create table stay (id integer primary key, note text)');
      const file = join(folder, `${isTerminal}.mjs`);
      writeFileSync(
        file,
        `import { DataSource, EntitySchema } from ${JSON.stringify(import.meta.resolve('typeorm'))};
      export default new DataSource({ type: 'postgres', url: '${database.url}', entities: [new EntitySchema({ name: 'stay',
        columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
        indices: [{ name: 'stay_note', columns: ['note'] }] })] });`,
      );
      const client = new pg.Client({ connectionString: database.url, application_name: 'report' });
      await client.connect();
      await client.query('begin isolation level repeatable read; select from pg_class');
      const [out, error, written]: string[][] = [[], [], []];
      const terminal = isTerminal
        ? { columns: 500, write: (text: string) => void written?.push(text) }
        : undefined;
      const output = {
        out: (text: string) => void out?.push(text),
        error: (text: string) => void error?.push(text),
        terminal,
      };
      const healing = runCommandLine(
        ['heal', '-d', file, '--json'],
        output,
        () => new AbortController().signal,
      );
      const blocked =
        /step 1 of 1: create index public\.stay_note, waiting for old snapshots.*waits for pid \d+ \(report, idle in transaction since /;
      const told = isTerminal ? written : error;
      await vi.waitFor(() => expect(told?.join('\n')).toMatch(blocked), { timeout: 20_000 });
      await client.end();
      expect(await healing).toBe(0);
      expect(JSON.parse(out?.join('') ?? '')).toMatchObject({ outcome: 'healed' });
      expect(written?.at(-1)).toBe(isTerminal ? '\r\u001B[K' : undefined);
      expect(error).toHaveLength(isTerminal ? 0 : 1);
    },
  );
});
