import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { createTestDatabase } from '../setup/database.js';

const folder = mkdtempSync(join(tmpdir(), 'program-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file that exports a data source with these options. */
function dataSourceFile(name: string, options: string, more = ''): string {
  const file = join(folder, `${name}.mjs`);
  const typeorm = JSON.stringify(import.meta.resolve('typeorm'));
  writeFileSync(
    file,
    `import { DataSource } from ${typeorm};\nexport default new DataSource({ type: 'postgres', ${options} });\n${more}`,
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

  test.each([
    ['check', '-d', 'x.mjs', '--bogus'],
    ['check'],
    ['history', '-d', 'x.mjs', '--limit', '0'],
    ['mend', '-d', 'x.mjs'],
  ])('%s %s %s %s %s', async (...args) => {
    const { exitCode, out, error } = await typed(...args, '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toEqual({ error });
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

describe('approve and rollback', () => {
  const extra = 'create table report (id integer); insert into report values (1), (2)';

  async function scene(name: string) {
    const database = await createTestDatabase();
    await database.query(`${extra}; create table room (id integer primary key, code text not null);
      insert into room values (1, 'toolong')`);
    const typeorm = JSON.stringify(import.meta.resolve('typeorm'));
    const file = join(folder, `${name}.mjs`);
    writeFileSync(
      file,
      `import { DataSource, EntitySchema } from ${typeorm};
      const room = new EntitySchema({ name: 'room', columns: {
        id: { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' },
        code: { type: 'character varying', length: 5 } } });
      export default new DataSource({ type: 'postgres', url: '${database.url}', entities: [room] });\n`,
    );
    return { database, file };
  }

  test('tells what would be lost, and the next heal does it', async () => {
    const { database, file } = await scene('approve');
    const { out: checked } = await typed('check', '-d', file);
    const [, id = ''] = /extra-table public\.report {2}\[(\w+)\]/.exec(checked) ?? [];

    const named = await typed('approve', id, '-d', file, '--by', 'ada');
    expect(named).toMatchObject({ exitCode: 0, error: '' });
    expect(named.out).toMatch(
      new RegExp(
        `^Approved ${id} extra-table public.report, by ada, until \\S+\\n  would be lost: 2 rows\\n  DROP TABLE`,
      ),
    );

    const all = await typed('approve', '-d', file, '--all', '--hazard', 'data-loss', '--json');
    expect(JSON.parse(all.out)).toMatchObject({
      approved: [
        {
          drift: { object: 'public.room.code' },
          approval: { by: expect.stringContaining('@') as string, loss: [{ count: 1 }] },
        },
      ],
      refused: [],
    });
    expect(await typed('heal', '-d', file)).toMatchObject({ exitCode: 0 });
    expect(await database.query(`select code, to_regclass('report') as report from room`)).toEqual([
      { code: 'toolo', report: null },
    ]);
    expect(await typed('approve', '-d', file, '--all')).toMatchObject({
      exitCode: 0,
      out: 'Nothing to approve',
    });
  });

  test.each<[args: string[], message: RegExp]>([
    [[], /name either the ids that check prints or --all/],
    [['0123456789ab', '--all'], /name either the ids that check prints or --all/],
    [['0123456789ab', '--hazard', 'data-loss'], /goes with --all/],
    [['--all', '--hazard', 'dataloss'], /'dataloss' is invalid. Allowed choices are data-loss, /],
    [['0123456789ab', '--approval-ttl-ms', '5'], /5 is below 1000 ms/],
    [['0123456789ab', '--by', ' '], /an approval has the name of who gave it/],
  ])('%j is a mistake', async (args, message) => {
    const file = dataSourceFile('approve-mistake', `url: '${url}'`);
    const { exitCode, error } = await typed('approve', ...args, '-d', file);
    expect({ exitCode, error }).toEqual({ exitCode: 1, error: expect.stringMatching(message) as string });
  });

  test('an id that no finding has is told, with 1', async () => {
    const { exitCode, out } = await typed(
      'approve',
      '0123456789ab',
      '-d',
      dataSourceFile('none', `url: '${url}'`),
    );
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^NOT APPROVED 0123456789ab: no finding has this id/);
  });

  test('a run is undone, told in full, and what would be lost waits for an approval', async () => {
    const { database, file } = await scene('rollback');
    await database.query(
      `alter table room add floor integer; alter table room alter code type varchar(3) using 'abc'`,
    );
    const healed = await typed('heal', '-d', file, '--json');
    const { runId } = JSON.parse(healed.out) as { runId: string };
    await database.query(`update room set code = 'abcde'`);

    const undone = await typed('rollback', runId, '-d', file, '--by', 'ada');
    expect(undone).toMatchObject({ exitCode: 2, error: '' });
    const [, id = ''] =
      /^ {2}OPEN (\w+) undo change type public\.room\.code: undoing it would lose 1 value that would change/m.exec(
        undone.out,
      ) ?? [];
    expect(undone.out).toMatch(/nothing-to-do: 0 undone, 1 open, 0 that cannot be$/);
    expect(await typed('approve', id, '-d', file)).toMatchObject({ exitCode: 0 });
    expect(await typed('heal', '-d', file)).toMatchObject({ exitCode: 2 });
    expect(await database.query('select code from room')).toEqual([{ code: 'abc' }]);
    const { out } = await typed('check', '-d', file);
    expect(out).toMatch(/why: ada has had it undone in run \d+/);
  });

  test.each<[args: string[], message: RegExp]>([
    [[], /name one run/],
    [['1', '2'], /too many arguments|name one run/],
    [['1', '--by', ' '], /an undo has the name of who wants it/],
  ])('rollback %j is a mistake', async (args, message) => {
    const file = dataSourceFile('rollback-mistake', `url: '${url}'`);
    const { exitCode, error } = await typed('rollback', ...args, '-d', file);
    expect({ exitCode, error }).toEqual({ exitCode: 1, error: expect.stringMatching(message) as string });
  });
});

describe('the options that the data source file exports', () => {
  const ENTITIES = `entities: [new EntitySchema({ name: 'staff', columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'staff_pkey' },
    firstName: { type: 'text', name: 'first_name', nullable: true },
    email: { type: 'text', nullable: true } } })]`;
  const OPTIONS = `{ policy: 'off', cron: false, ignore: { tables: ['audit_*'] },
    renamedFrom: { columns: { 'staff.first_name': ['forename'] } },
    backfills: [{ table: 'staff', column: 'email', expression: "lower(first_name) || '@hotel.example'" }] }`;

  async function staffDatabase() {
    const database = await createTestDatabase();
    await database.query(`create table staff (id integer constraint staff_pkey primary key, forename text);
      insert into staff values (1, 'Ada'); create table audit_log ()`);
    return database;
  }

  function fileOf(name: string, databaseUrl: string, more: string): string {
    const file = dataSourceFile(name, `url: '${databaseUrl}', ${ENTITIES}`, more);
    const typeorm = JSON.stringify(import.meta.resolve('typeorm'));
    writeFileSync(file, `import { EntitySchema } from ${typeorm};\n${readFileSync(file, 'utf8')}`);
    return file;
  }

  test('are those of the command; what happens unasked is not its affair', async () => {
    const database = await staffDatabase();
    const file = fileOf('options', database.url, `export const autoMigration = ${OPTIONS};`);
    expect(await typed('heal', '-d', file)).toMatchObject({ exitCode: 0, error: '' });
    expect(await database.query('select * from staff')).toEqual([
      { id: 1, first_name: 'Ada', email: 'ada@hotel.example' },
    ]);
    const { out } = await typed('check', '-d', file);
    expect(out).not.toContain('audit_log');
  });

  test('count less than flags', async () => {
    const database = await staffDatabase();
    const options = `{ ...${OPTIONS}, journalSchema: 'journal', execution: 'atomic' }`;
    const file = fileOf('flags', database.url, `export const autoMigration = ${options};`);
    await typed('heal', '-d', file, '--journal-schema', 'other');
    expect(await database.query(`select to_regnamespace('journal') as it`)).toEqual([{ it: null }]);
    expect(await database.query('select outcome from other.run')).toEqual([{ outcome: 'healed' }]);
  });

  test.each([
    ['one that does not exist', `{ polcy: 'off' }`, 'Option "polcy"'],
    ["the module's own, too", `{ cron: 'often' }`, 'Option "cron"'],
    ['no object', `'safe'`, 'Option "autoMigration"'],
    ['null in their place', 'null', 'Option "autoMigration"'],
    ['no plain object', 'new Map([["cron", false]])', 'Option "autoMigration"'],
    ['a promise', `Promise.resolve({ polcy: 'off' })`, 'Option "polcy"'],
  ])('are checked: %s', async (title, options, words) => {
    const file = dataSourceFile(title, `url: '${url}'`, `export const autoMigration = ${options};`);
    const { exitCode, error } = await typed('check', '-d', file);
    expect(exitCode).toBe(1);
    expect(error).toContain(words);
  });
});
