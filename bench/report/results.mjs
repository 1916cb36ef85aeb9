import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';

/**
 * @import { Machine } from './machine.mjs'
 * @import { PromiseKept } from './promises.mjs'
 */

/**
 * All of one run; beside this its figures, which each command has of its own.
 * @typedef {object} Results
 * @property {string} command
 * @property {string} date
 * @property {Machine} machine
 * @property {readonly PromiseKept[]} promises
 */

const FOLDER = new URL('../results/', import.meta.url);
const PAGE = new URL('../../docs/performance.md', import.meta.url);

/**
 * @param {string} name
 * @param {Results} results
 */
export async function writeResults(name, results) {
  await mkdir(FOLDER, { recursive: true });
  await writeFormatted(new URL(`${name}.json`, FOLDER), JSON.stringify(results));
  return `bench/results/${name}.json`;
}

/** @param {string} text */
export async function formatMarkdown(text) {
  return format(text, { parser: 'markdown' });
}

/**
 * Puts a text between the page's markers for `name`.
 * @param {string} name
 * @param {string} text
 */
export async function writePage(name, text) {
  const page = await readFile(PAGE, 'utf8');
  await writeFormatted(PAGE, replaceBetweenMarkers(page, name, text));
}

/**
 * @param {string} page
 * @param {string} name
 * @param {string} text
 */
export function replaceBetweenMarkers(page, name, text) {
  const [start, end] = [`<!-- bench ${name} -->`, `<!-- end of bench ${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no place between ${start} and ${end}.`);
  return `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/**
 * @param {URL} file
 * @param {string} text
 */
async function writeFormatted(file, text) {
  const filepath = decodeURIComponent(file.pathname);
  const options = await resolveConfig(file);
  await writeFile(file, await format(text, { ...options, filepath }));
}
