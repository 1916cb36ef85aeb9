import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Diagnostic {
  code: string;
  filename: string;
}

/** What a file in that place of the house may not say, and the rule that says so. */
const FORBIDDEN: [file: string, code: string, rule: string][] = [
  ['src/schema/a.ts', "import '../errors.js';", 'eslint(no-restricted-imports)'],
  ['src/schema/a.ts', "import '../drift/compare.js';", 'eslint(no-restricted-imports)'],
  ['src/schema/a.ts', "export type { Plan } from '../plan/plan.js';", 'eslint(no-restricted-imports)'],
  ['src/schema/catalog/a.ts', "import '../../drift/compare.js';", 'eslint(no-restricted-imports)'],
  ['src/schema/a.ts', "import { Client } from 'pg';", 'eslint(no-restricted-imports)'],
  ['src/schema/a.ts', "import type { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/schema/catalog/a.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/drift/a.ts', "import '../plan/plan.js';", 'eslint(no-restricted-imports)'],
  ['src/drift/a.ts', "import '../errors.js';", 'eslint(no-restricted-imports)'],
  ['src/drift/a/a.ts', "import '../../heal/heal.js';", 'eslint(no-restricted-imports)'],
  ['src/drift/a.ts', "import type { Client } from 'pg';", 'eslint(no-restricted-imports)'],
  ['src/drift/a.ts', "import type { Table } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/drift/a.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/plan/a.ts', "import '../heal/heal.js';", 'eslint(no-restricted-imports)'],
  ['src/plan/a.ts', "import '../errors.js';", 'eslint(no-restricted-imports)'],
  ['src/plan/a/a.ts', "import '../../journal/journal.js';", 'eslint(no-restricted-imports)'],
  ['src/plan/a.ts', "import type { Client } from 'pg';", 'eslint(no-restricted-imports)'],
  ['src/plan/a.ts', "export const orm = await import('typeorm');", 'eslint(no-restricted-imports)'],
  ['src/plan/a.ts', "import { Injectable } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/heal/a.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/heal/a.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/journal/a.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/watch/a.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/auto-migration.module.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/auto-migration.options.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  [
    'src/auto-migration.options.ts',
    "import { Logger } from '@nestjs/common';",
    'eslint(no-restricted-imports)',
  ],
  ['src/desired/a.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/cli/a.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/auto-migrator.ts', "import { Logger } from '@nestjs/common';", 'eslint(no-restricted-imports)'],
  ['src/index.ts', "import { DataSource } from 'typeorm';", 'eslint(no-restricted-imports)'],
  ['src/heal/a.ts', 'export const loose = (value: any) => value;', 'typescript(no-explicit-any)'],
  ['src/heal/a.ts', '// @ts-ignore\nexport const a = 1;', 'typescript(ban-ts-comment)'],
  [
    'src/heal/a.ts',
    'async function run() {}\nexport const a = () => { run(); };',
    'typescript(no-floating-promises)',
  ],
  ['src/heal/a.ts', "export { b } from './b.js';\nexport const a = 1;", 'import(no-cycle)'],
  ['src/heal/a.ts', 'export const a = 1;\n'.padEnd(400, '\n'), 'eslint(max-lines)'],
];

/** What is allowed just beside it. */
const ALLOWED: [file: string, code: string][] = [
  ['src/schema/catalog/a.ts', "import type { Schema } from '../model.js';"],
  ['src/schema/a.ts', "import type { Client } from 'pg';"],
  ['src/drift/a.ts', "import { quote } from '../schema/identifier.js';"],
  ['src/plan/a.ts', "import type { Drift } from '../drift/drift-kind.js';"],
  ['src/plan/a/a.ts', "import type { Schema } from '../../schema/model.js';"],
  ['src/desired/a.ts', "import { Table } from 'typeorm';"],
  ['src/auto-migrator.ts', "import { DataSource } from 'typeorm';"],
  ['src/heal/a.ts', "import type { DataSource } from 'typeorm';"],
  ['src/heal/a.ts', "import { Client } from 'pg';"],
  ['src/watch/a.ts', "import { Injectable } from '@nestjs/common';"],
  ['src/auto-migration.module.ts', "import { Module } from '@nestjs/common';"],
  ['src/auto-migration.options.ts', "import type { InjectionToken } from '@nestjs/common';"],
];

let street: string;
let findings: Diagnostic[];

/** Each snippet stands in a house of its own, with the project's configuration; one run of the linter visits all. */
beforeAll(() => {
  street = mkdtempSync(join(tmpdir(), 'house-'));
  symlinkSync(join(ROOT, 'node_modules'), join(street, 'node_modules'), 'junction');
  copyFileSync(join(ROOT, 'tsconfig.json'), join(street, 'tsconfig.json'));
  [...FORBIDDEN, ...ALLOWED].forEach(([file, code], number) => {
    const path = join(street, 'houses', `${number}`, file);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(street, 'houses', `${number}`, '.oxlintrc.json'));
    writeFileSync(path, code);
    // The other half of a circle.
    writeFileSync(join(dirname(path), 'b.ts'), "export { a as b } from './a.js';\n");
  });
  const linter = join(ROOT, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const options = { cwd: join(street, 'houses'), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const run = spawnSync(process.execPath, [linter, '--type-aware', '--format', 'json', '.'], options);
  if (!run.stdout.startsWith('{')) throw new Error(`oxlint could not look: ${run.stdout}${run.stderr}`);
  findings = (JSON.parse(run.stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(() => {
  rmSync(street, { recursive: true, force: true });
});

/** The rules that fired on the snippet of that number. */
function rulesBroken(number: number, file: string): string[] {
  const path = join(`${number}`, file);
  return findings.filter(({ filename }) => filename === path).map(({ code }) => code);
}

function title(file: string, code: string): string {
  return `${file}: ${code.trim().replaceAll('\n', ' ')}`;
}

describe('the linter refuses', () => {
  const cases = FORBIDDEN.map(
    ([file, code, rule], number) => [title(file, code), number, file, rule] as const,
  );
  test.each(cases)('%s', (_title, number, file, rule) => {
    expect(rulesBroken(number, file)).toContain(rule);
  });
});

describe('the linter allows', () => {
  const cases = ALLOWED.map(([file, code], number) => [title(file, code), number, file] as const);
  test.each(cases)('%s', (_title, number, file) => {
    expect(rulesBroken(FORBIDDEN.length + number, file)).not.toContain('eslint(no-restricted-imports)');
  });
});

test('no file in src is a drawer for this and that', () => {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  expect(names.length).toBeGreaterThan(50);
  expect(
    names.filter((name) => /(^|[/\\.-])(utils?|helpers?|common|misc|shared)([/\\.-]|$)/iu.test(name)),
  ).toEqual([]);
});
