// npm run test:applications -- [options] [options of vitest]
import { existsSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cellsOf } from '../matrix/cells.mjs';
import { runCells } from '../matrix/run-cells.mjs';
import { POSTGRES, TYPEORM } from '../matrix/versions.mjs';
import { APPLICATIONS } from './applications.mjs';
import { fetchApplications } from './fetch.mjs';

/** @import { Cell } from '../matrix/cells.mjs' */

const USAGE = `npm run test:applications -- [options] [-- options of vitest]

Holds the entities and migrations of real applications against the laws: ${Object.keys(APPLICATIONS).join(', ')}.

  --postgres <version>   ${Object.keys(POSTGRES).join(', ')}; may be repeated; 18 where none is named
  --typeorm <version>    ${Object.keys(TYPEORM).toSorted().join(', ')}; may be repeated; 1 where none is named

The packages are fetched on first use, below node_modules/.cache. One that is not to be had is skipped, with a message.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    postgres: { type: 'string', multiple: true, default: ['18'] },
    typeorm: { type: 'string', multiple: true, default: ['1'] },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else await runApplications();

async function runApplications() {
  const cells = cellsOf(values.postgres, values.typeorm);
  const folders = new Map(cells.map(({ typeorm }) => [typeorm, fetchApplications(typeorm)]));
  const isAnyThere = [...folders.values()].some(
    (folder) => existsSync(folder) && readdirSync(folder).length > 0,
  );
  if (!isAnyThere) {
    console.log('No application is to be had: skipped.');
    return;
  }
  const environment = (/** @type {Cell} */ { typeorm }) => ({ APPLICATIONS: folders.get(typeorm) });
  await runCells(cells, ['test/applications', ...positionals], environment);
}
