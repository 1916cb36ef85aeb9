import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadDataSource } from '../../src/cli/load-data-source.js';

const folder = mkdtempSync(join(tmpdir(), 'data-source-'));

interface HookedModule {
  _compile(code: string, file: string): void;
}

const hooks = createRequire(import.meta.url).extensions as Record<
  string,
  ((module: HookedModule, file: string) => void) | undefined
>;
const before = hooks['.ts'];

beforeAll(() => {
  // What ts-node/register does.
  const options = { module: ts.ModuleKind.CommonJS, experimentalDecorators: true };
  hooks['.ts'] = (module, file) =>
    // eslint-disable-next-line no-underscore-dangle -- what every such loader calls
    module._compile(
      ts.transpileModule(ts.sys.readFile(file) ?? '', { compilerOptions: options }).outputText,
      file,
    );
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  if (before) hooks['.ts'] = before;
  else delete hooks['.ts'];
});

// By shape, as the application may have a copy of TypeORM of its own.
const DATA_SOURCE = '{ options: {}, entityMetadatas: [] }';
const DECORATED =
  'const Entity = () => () => undefined; @Entity() class Guest { constructor(readonly id: number) {} }';

const LOADED: [title: string, file: string, text: string][] = [
  ['the default export', 'default.mjs', `export default ${DATA_SOURCE}`],
  ['a named export', 'named.mjs', `export const source = ${DATA_SOURCE}; export const other = 1`],
  ['a promise', 'promise.mjs', `export default Promise.resolve(${DATA_SOURCE})`],
  ['one under two names', 'twice.mjs', `export const source = ${DATA_SOURCE}; export default source`],
  ['what CommonJS exports', 'whole.cjs', `module.exports = ${DATA_SOURCE}`],
  ['a name that CommonJS exports', 'named.cjs', `exports.source = Promise.resolve(${DATA_SOURCE})`],
  ['TypeScript, by the loader of require()', 'source.ts', `${DECORATED}; export default ${DATA_SOURCE}`],
  ['TypeScript that is CommonJS as a whole', 'whole.ts', `${DECORATED}; export = ${DATA_SOURCE}`],
];

const REFUSED: [title: string, file: string, text: string, answer: RegExp][] = [
  ['none', 'none.mjs', 'export default 1', /none\.mjs exports no DataSource/],
  ['two', 'two.mjs', `export const a = ${DATA_SOURCE}, b = ${DATA_SOURCE}`, /exports 2 DataSources/],
  [
    'one that throws',
    'throws.mjs',
    'throw new Error("no vault")',
    /throws\.mjs failed.*no vault\n +at .*throws\.mjs:1/s,
  ],
  [
    'a secret in what it throws',
    'secret.mjs',
    'throw new Error("postgres://me:secret@host/db")',
    /postgres:\/\/\*\*\*@host/,
  ],
];

function write(file: string, text: string): string {
  const path = join(folder, file);
  if (file !== '.') writeFileSync(path, text);
  return path;
}

test.each(LOADED)('takes %s', async (_title, file, text) => {
  expect(await loadDataSource(write(file, text))).toEqual({ options: {}, entityMetadatas: [] });
});

test.each(REFUSED)('refuses %s', async (_title, file, text, answer) => {
  await expect(loadDataSource(write(file, text))).rejects.toThrow(answer);
});

test('refuses a file that is not there', async () => {
  await expect(loadDataSource(join(folder, 'nowhere.mjs'))).rejects.toThrow(/nowhere\.mjs failed while/);
});
