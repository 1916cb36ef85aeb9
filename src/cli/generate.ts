import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AutoMigrator } from '../auto-migrator.js';
import { InvalidOptionError } from '../errors.js';
import { ExitCode } from './exit-code.js';
import { migrationFiles, type MigrationLanguage } from './migration-file.js';

export interface GenerateFlags {
  readonly name: string;
  readonly output: string;
  readonly js?: boolean;
  readonly lockTimeoutMs?: number;
}

/** What was written. Plain data. */
export interface GenerateReport {
  /** In the order in which TypeORM runs them. */
  readonly files: readonly string[];
  /** Whether one has to run outside a transaction, so that `migrationsTransactionMode` has to be `'each'`. */
  readonly needsEach: boolean;
  /** What no statement was written for, with the reason. */
  readonly open: readonly { readonly object: string; readonly reason: string | null }[];
  readonly error: string | null;
}

const DEFAULT_LOCK_TIMEOUT_MS = 1000;

/**
 * Writes what `heal` would do as TypeORM migrations, for those who want every change in review.
 *
 * @throws InvalidOptionError for a name that no class can have
 */
export async function generate(
  migrator: AutoMigrator,
  { name, output, js = false, lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS }: GenerateFlags,
): Promise<{ report: GenerateReport; text: string; exitCode: ExitCode; warnings: readonly string[] }> {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new InvalidOptionError('name', `'${name}' cannot be a class's name`);
  const { plan, error, warnings } = await migrator.plan();
  if (!plan) {
    const report = { files: [], needsEach: false, open: [], error };
    return { report, text: `Could not look: ${error}`, exitCode: ExitCode.failed, warnings };
  }
  const folder = resolve(output);
  const language = js ? moduleKindOf(folder) : 'ts';
  const written = migrationFiles(plan, name, Date.now(), language, lockTimeoutMs);
  if (written.length > 0) mkdirSync(folder, { recursive: true });
  for (const { fileName, text } of written) writeFileSync(join(folder, fileName), text, { flag: 'wx' });
  const files = written.map(({ fileName }) => join(output, fileName));
  const needsEach = written.some(({ isOutside }) => isOutside);
  const open = plan.drift
    .filter(({ disposition }) => disposition === 'open')
    .map(({ object, reason }) => ({ object, reason }));
  const report = { files, needsEach, open, error: null };
  return { report, text: print(report), exitCode: open.length > 0 ? ExitCode.drift : ExitCode.ok, warnings };
}

function print({ files, needsEach, open }: GenerateReport): string {
  return [
    ...(files.length === 0 ? ['Nothing to generate'] : files.map((file) => `Written: ${file}`)),
    ...(needsEach ? [`The data source needs migrationsTransactionMode: 'each'.`] : []),
    ...open.map(({ object, reason }) => `  OPEN ${object}: ${reason}`),
  ].join('\n');
}

/** As Node decides it: by the nearest package.json. */
function moduleKindOf(folder: string): MigrationLanguage {
  const file = join(folder, 'package.json');
  if (existsSync(file)) {
    const { type } = JSON.parse(readFileSync(file, 'utf8')) as { type?: string };
    return type === 'module' ? 'esm' : 'commonjs';
  }
  return dirname(folder) === folder ? 'commonjs' : moduleKindOf(dirname(folder));
}
