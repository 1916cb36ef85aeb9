// npm run bench -- check | boot [options]
import { parseArgs } from 'node:util';
import { COMMANDS, FULL, QUICK } from './commands.mjs';
import { INSTALLED } from './contenders/table.mjs';
import { measureFootprint } from './footprint/footprint.mjs';
import { ensurePeers } from './peers/load.mjs';
import { describeMachine } from './report/machine.mjs';
import { holdPromises } from './report/promises.mjs';
import { formatMarkdown, writePage, writeResults } from './report/results.mjs';
import { toMarkdown } from './report/tables.mjs';
import { measureScenario, scenariosOf } from './scenarios.mjs';
import { serverVersion, startServer } from './server.mjs';

/**
 * @import { Command, Extent } from './commands.mjs'
 * @import { Results } from './report/results.mjs'
 */

const USAGE = `npm run bench -- <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(18)} ${about}`)
  .join('\n')}

  --quick            small sizes and two rounds, in half a minute
  --write            put the tables into docs/performance.md
  --only <names>     these contenders alone, as in the JSON, with commas between them
  --sizes <numbers>  these numbers of tables alone, and nothing else
  --no-peers         without those that have to be installed

A server is started for it; BENCH_DATABASE_URL names another one.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    sizes: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const command = COMMANDS[name];
if (command) await bench(name, command);
else {
  console.log(USAGE);
  process.exitCode = 1;
}

/**
 * @param {string} commandName
 * @param {Command} chosen
 */
async function bench(commandName, chosen) {
  const extent = extentOf();
  const contenders = contendersOf(chosen);
  const withPeers = contenders.some((contender) => INSTALLED.has(contender));
  if (withPeers) ensurePeers();
  const server = await startServer();
  try {
    /** @type {Results} */
    const results = {
      command: ['npm run bench --', ...process.argv.slice(2).filter((word) => word !== '--write')].join(' '),
      date: new Date().toISOString().slice(0, 10),
      machine: describeMachine(await serverVersion(server.url), withPeers),
      scenarios: await measureScenarios(server.url, contenders, extent),
      footprints: chosen.footprints ? await measureFootprints(server.url, extent) : [],
    };
    await report(commandName, results);
  } finally {
    await server.stop();
  }
}

/** @returns {Extent} */
function extentOf() {
  const extent = values.quick ? QUICK : FULL;
  if (!values.sizes) return extent;
  const sizes = values.sizes.split(',').map(Number);
  return { ...extent, sizes, foreign: 0, distant: 0, footprints: [] };
}

/** @param {Command} chosen */
function contendersOf({ contenders }) {
  const only = values.only?.split(',');
  const unknown = only?.filter((each) => !contenders.some((contender) => contender.name === each)) ?? [];
  if (unknown.length > 0) throw new Error(`No contender is called ${unknown.join(' or ')}.`);
  return contenders.filter(
    (contender) =>
      (only?.includes(contender.name) ?? true) && !(values['no-peers'] && INSTALLED.has(contender)),
  );
}

/**
 * @param {string} server
 * @param {Command['contenders']} contenders
 * @param {Extent} extent
 */
async function measureScenarios(server, contenders, extent) {
  const scenarios = [];
  for (const scenario of scenariosOf(extent)) {
    console.error(`${scenario.title} tables …`);
    scenarios.push(await measureScenario(server, scenario, contenders, extent.pace));
  }
  return scenarios;
}

/**
 * @param {string} server
 * @param {Extent} extent
 */
async function measureFootprints(server, extent) {
  const footprints = [];
  for (const tables of extent.footprints) {
    console.error(`memory and event loop with ${tables} tables …`);
    footprints.push(...(await measureFootprint(server, tables, extent.processes)));
  }
  return footprints;
}

/**
 * @param {string} commandName
 * @param {Results} results
 */
async function report(commandName, results) {
  const promises = holdPromises(results);
  const markdown = toMarkdown(results, promises);
  console.log(await formatMarkdown(markdown));
  const isWhole = !values.quick && !values.only && !values.sizes && !values['no-peers'];
  const file = await writeResults(isWhole ? commandName : `${commandName}-part`, { ...results, promises });
  console.log(`Written to ${file}.`);
  if (values.write) await writePage(commandName, markdown);
}
