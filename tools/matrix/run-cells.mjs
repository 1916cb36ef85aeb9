import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startPostgres } from '../embedded-postgres/index.mjs';
import { runCell } from './run-cell.mjs';
import { installedVersion, POSTGRES, postgresBinaries, TYPEORM } from './versions.mjs';

/**
 * @import { Cell } from './cells.mjs'
 * @import { Outcome } from './run-cell.mjs'
 */

/** As in postgres.ts of the tests' setup, whose server this one stands for. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
};

/**
 * Runs vitest in each cell, one after another, prints what failed and a table, and sets the exit code.
 * @param {readonly Cell[]} cells
 * @param {readonly string[]} parameters of vitest: files, -t …
 * @param {(cell: Cell) => NodeJS.ProcessEnv} [environment] what the tests of a cell are told besides
 */
export async function runCells(cells, parameters, environment = () => ({})) {
  const scratch = mkdtempSync(join(tmpdir(), 'matrix-'));
  try {
    /** @type {{ cell: Cell, outcome: Outcome }[]} */
    const results = [];
    for (const [i, cell] of cells.entries()) {
      console.log(`${nameOf(cell)} …`);
      const outcome = await runOnServer(cell, parameters, join(scratch, `${i}.json`), environment(cell));
      for (const { what, message } of outcome.failures)
        console.log(`\nfailed on ${nameOf(cell)}: ${relative(process.cwd(), what)}\n${message}\n`);
      results.push({ cell, outcome });
    }
    report(results);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {Cell} cell
 * @param {readonly string[]} parameters
 * @param {string} file
 * @param {NodeJS.ProcessEnv} environment
 */
async function runOnServer(cell, parameters, file, environment) {
  const binaries = postgresBinaries(cell.postgres);
  const server = await startPostgres({
    persistent: false,
    settings: SETTINGS,
    ...(binaries === undefined ? {} : { binaries }),
  });
  try {
    return await runCell(cell, server.url, parameters, file, environment);
  } finally {
    await server.stop();
  }
}

/** @param {Cell} cell */
function nameOf({ postgres, typeorm }) {
  const postgresVersion = POSTGRES[postgres] ?? installedVersion('embedded-postgres');
  const typeormVersion = TYPEORM[typeorm] ?? installedVersion('typeorm');
  return `PostgreSQL ${postgresVersion.replace(/\.\d+-.*/u, '')}, TypeORM ${typeormVersion}`;
}

/** @param {readonly { cell: Cell, outcome: Outcome }[]} results */
function report(results) {
  const rows = results.map(({ cell, outcome: { passed, failures, skipped, seconds } }) =>
    [nameOf(cell), passed, failures.length, skipped, `${seconds.toFixed(0)} s`].map(String),
  );
  const table = [['', 'passed', 'failed', 'skipped', 'time'], ...rows];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? [];
  console.log();
  for (const [first = '', ...numbers] of table)
    console.log(
      [first.padEnd(widths[0] ?? 0), ...numbers.map((n, i) => n.padStart(widths[i + 1] ?? 0))].join('  '),
    );
  const passed = results.reduce((sum, { outcome }) => sum + outcome.passed, 0);
  const failed = results.reduce((sum, { outcome }) => sum + outcome.failures.length, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
