// npm run bench -- check | surroundings | footprint | load | fill [options]
import { parseArgs } from 'node:util';
import { COMMANDS } from './commands.mjs';
import { describeMachine } from './report/machine.mjs';
import { toMarkdown } from './report/markdown.mjs';
import { formatMarkdown, writePage, writeResults } from './report/results.mjs';
import { serverVersion, startServer } from './server.mjs';

/**
 * @import { Command } from './commands.mjs'
 * @import { Flags } from './flags.mjs'
 */

const USAGE = `npm run bench -- <command> [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(18)} ${about}`)
  .join('\n')}

  --quick            small sizes and few rounds, in a minute
  --write            put the tables into docs/performance.md
  --only <names>     these contenders alone, as in the JSON, with commas between them
  --sizes <numbers>  check, footprint: these numbers of tables
  --no-peers         check, surroundings: without those that have to be installed
  --rows <numbers>   load, fill: tables of these numbers of rows

A server is started for it; BENCH_DATABASE_URL names another one.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    sizes: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    rows: { type: 'string' },
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
  const flags = readFlags();
  const server = await startServer();
  try {
    const { figures, promises, markdown, isWhole, withPeers } = await chosen.measure(server.url, flags);
    const results = {
      command: ['npm run bench --', ...process.argv.slice(2).filter((word) => word !== '--write')].join(' '),
      date: new Date().toISOString().slice(0, 10),
      machine: describeMachine(await serverVersion(server.url), withPeers),
      ...figures,
      promises,
    };
    const page = toMarkdown(results, markdown);
    console.log(await formatMarkdown(page));
    const file = await writeResults(isWhole ? commandName : `${commandName}-part`, results);
    console.log(`Written to ${file}.`);
    if (values.write) await writePage(commandName, page);
  } finally {
    await server.stop();
  }
}

/** @returns {Flags} */
function readFlags() {
  const { quick, only, sizes, rows, 'no-peers': noPeers } = values;
  return {
    quick,
    only: only?.split(','),
    sizes: numbers('sizes', sizes),
    rows: numbers('rows', rows),
    noPeers,
  };
}

/**
 * @param {string} flag
 * @param {string | undefined} text
 */
function numbers(flag, text) {
  const list = text?.split(',').map(Number);
  if (list?.some((each) => !Number.isInteger(each) || each < 1)) {
    throw new Error(`--${flag} takes whole numbers with commas between them, not ${text}.`);
  }
  return list;
}
