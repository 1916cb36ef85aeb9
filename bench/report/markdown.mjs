/**
 * @import { Machine } from './machine.mjs'
 * @import { PromiseKept } from './promises.mjs'
 * @import { Results } from './results.mjs'
 */

/**
 * Everything that a command measured, as Markdown.
 * @param {Results} results
 * @param {string} tables
 */
export function toMarkdown({ command, date, machine, promises }, tables) {
  const parts = [`\`${command}\`, ${date}, on ${describe(machine)}.`, tables];
  return [...parts, ...(promises.length > 0 ? [promisesTable(promises)] : [])].join('\n\n');
}

/** @param {Machine} machine */
function describe({ processor, cores, memoryGb, system, versions }) {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${cores} cores (${processor}), ${memoryGb} GB, ${system}; ${software.join(', ')}`;
}

/** @param {readonly PromiseKept[]} promises */
function promisesTable(promises) {
  const rows = promises.map(({ promise, limit, measured, isKept }) => [
    promise,
    limit,
    measured,
    isKept ? 'yes' : '**no**',
  ]);
  return table(['promise', 'limit', 'measured', 'kept'], rows);
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const alignment = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
