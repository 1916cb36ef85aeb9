// npm run test:matrix -- [options] [files and options of vitest]
import { parseArgs } from 'node:util';
import { BOUNDED, cellsOf, FILES } from './cells.mjs';
import { runCells } from './run-cells.mjs';
import { POSTGRES, TYPEORM } from './versions.mjs';

const USAGE = `npm run test:matrix -- [options] [files] [-- options of vitest]

  --bounded              two cells and the files that tell most, for CI
  --postgres <version>   ${Object.keys(POSTGRES).join(', ')}; may be repeated
  --typeorm <version>    ${Object.keys(TYPEORM).toSorted().join(', ')}; may be repeated

What npm ci does not install is installed on first use, below node_modules/.cache/matrix.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bounded: { type: 'boolean', default: false },
    postgres: { type: 'string', multiple: true, default: [] },
    typeorm: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const cells = values.bounded ? BOUNDED.cells : cellsOf(values.postgres, values.typeorm);
  const files = values.bounded ? BOUNDED.files : FILES;
  await runCells(cells, positionals.length > 0 ? positionals : files);
}
