import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { createTestDatabase } from '../setup/database.js';

const folder = mkdtempSync(join(tmpdir(), 'program-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file that exports a data source with these options. */
function dataSourceFile(name: string, options: string): string {
  const file = join(folder, `${name}.mjs`);
  const typeorm = JSON.stringify(import.meta.resolve('typeorm'));
  writeFileSync(
    file,
    `import { DataSource } from ${typeorm};\nexport default new DataSource({ type: 'postgres', ${options} });\n`,
  );
  return file;
}

async function typed(...args: string[]) {
  const lines: { out: string[]; error: string[] } = { out: [], error: [] };
  const output = {
    out: (text: string) => void lines.out.push(text),
    error: (text: string) => void lines.error.push(text),
  };
  const stop = vi.fn<() => AbortSignal>(() => new AbortController().signal);
  const exitCode = await runCommandLine(args, output, stop);
  return { exitCode, out: lines.out.join('\n'), error: lines.error.join('\n'), stop };
}

let url: string;
beforeAll(async () => {
  ({ url } = await createTestDatabase());
});

describe('what keeps the command from looking is told, with 1, and in JSON as the one report', () => {
  test.each(['check', 'plan', 'heal', 'status', 'history'])('%s without a server', async (command) => {
    const file = dataSourceFile(command, `url: 'postgres://me:secret@127.0.0.1:1/hotel'`);
    const { exitCode, out, error } = await typed(command, '-d', file, '--json');
    const message =
      'Cannot connect to PostgreSQL: connect ECONNREFUSED 127.0.0.1:1. Nothing was compared or changed.';
    expect({ exitCode, report: JSON.parse(out) as unknown, error }).toEqual({
      exitCode: 1,
      report: { error: message },
      error: message,
    });
  });

  test('an entity file that a pattern names and that throws: its stack', async () => {
    writeFileSync(join(folder, 'broken.entity.mjs'), `throw new Error('no such decorator');\n`);
    const pattern = JSON.stringify(join(folder, '*.entity.mjs'));
    const file = dataSourceFile('glob', `url: '${url}', entities: [${pattern}]`);
    const { exitCode, out, error } = await typed('check', '-d', file);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
    expect(error).toMatch(/no such decorator\n +at .*broken\.entity\.mjs:1/);
  });

  test.each(['abc', '-1', '0', '1.5', '1e3'])('--limit %s', async (limit) => {
    const { exitCode, error } = await typed('history', '-d', 'x.mjs', '--limit', limit);
    expect(exitCode).toBe(1);
    expect(error).toContain(`'--limit <number>' argument '${limit}' is invalid`);
  });
});

test.each([
  ['check', 0],
  ['plan', 0],
  ['status', 0],
  ['history', 0],
  ['heal', 1],
])('%s listens %i times for a signal: what changes nothing may be ended at once', async (command, times) => {
  const { exitCode, stop } = await typed(command, '-d', dataSourceFile(`signal-${command}`, `url: '${url}'`));
  expect(exitCode).toBe(0);
  expect(stop).toHaveBeenCalledTimes(times);
});
