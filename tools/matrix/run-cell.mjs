import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { typeormModules } from './versions.mjs';

/** @import { Cell } from './cells.mjs' */

/**
 * The part of vitest's JSON report that is counted.
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ name: string, status: string, message: string, assertionResults: Assertion[] }[]} testResults
 */

/** @typedef {{ fullName: string, status: string, failureMessages: string[] }} Assertion */

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} skipped
 * @property {{ what: string, message: string }[]} failures
 * @property {number} seconds
 */

const ROOT = join(import.meta.dirname, '..', '..');
const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/**
 * Runs vitest against a server that runs already.
 * @param {Cell} cell
 * @param {string} url of the server
 * @param {readonly string[]} parameters of vitest: files, -t …
 * @param {string} report where vitest may write its report
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Outcome>}
 */
export async function runCell(cell, url, parameters, report, environment) {
  const modules = typeormModules(cell.typeorm);
  const start = performance.now();
  const vitest = spawn(
    process.execPath,
    [
      VITEST,
      'run',
      '--config=tools/matrix/vitest.config.ts',
      '--reporter=json',
      `--outputFile=${report}`,
      ...parameters,
    ],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        ...environment,
        TEST_DATABASE_URL: url,
        ...(modules && { MATRIX_MODULES: modules }),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [code] = /** @type {[number | null]} */ (await once(vitest, 'exit'));
  const seconds = (performance.now() - start) / 1000;
  return { ...count(await readReport(report), code), seconds };
}

/**
 * @param {string} file
 * @returns {Promise<Report | undefined>} undefined where vitest did not come to write it
 */
async function readReport(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : /** @type {Report} */ (JSON.parse(text));
}

/**
 * A file that could not even be loaded has no failed test: it counts as one. Of an error outside of any test only the
 * exit code knows.
 * @param {Report | undefined} report
 * @param {number | null} code
 */
function count(report, code) {
  const failures = (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) =>
    status === 'failed' && assertionResults.length === 0
      ? [{ what: name, message }]
      : assertionResults
          .filter((each) => each.status === 'failed')
          .map(({ fullName, failureMessages }) => ({
            what: `${name} > ${fullName}`,
            message: failureMessages.join('\n'),
          })),
  );
  if (code !== 0 && failures.length === 0)
    failures.push({ what: `vitest ended with code ${code}`, message: '' });
  const passed = report?.numPassedTests ?? 0;
  if (passed === 0 && failures.length === 0) failures.push({ what: 'no test ran', message: '' });
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  return { passed, skipped, failures };
}
