import { expect, test } from 'vitest';
import { LOCK_CASES, type LockCase } from './lock-cases.js';

const HEAD = `# What each step costs others

Written by \`npm run docs:locks\` from the cases of [test/heal/lock-cases.ts](../test/heal/lock-cases.ts). Each of them is run on a real PostgreSQL by [test/heal/locks.test.ts](../test/heal/locks.test.ts), which holds the lock (\`pg_locks\`), the rewrite (a new file of the table) and the scan (the statistics of the table) against what the step declares; \`npm run test:matrix -- test/heal/locks.test.ts\` does so on PostgreSQL 14 to 18.

A step tells the strongest lock that it takes on the table, or on an index of it. _rewrites_: every row is written anew under it. _scans_: every row is read under it. SHARE UPDATE EXCLUSIVE lets others read and write. Large is a table above \`smallTableBytes\`; where nothing is said, it is small. Steps between semicolons may be in one transaction or in several.

`;

const COLUMNS = ['change', 'execution', 'unattended', 'steps'];

function rowOf({ title, execution = 'online', disposition, steps }: LockCase): string[] {
  const change = title.replace(/, (online|atomic)$/, '');
  return [change, execution, disposition === 'heal' ? 'yes' : 'no', steps.join('; ')].map((cell) =>
    cell.replaceAll('|', '\\|'),
  );
}

/** As prettier writes it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = COLUMNS.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

test('docs/locks.md has a row for each case', async () => {
  const text = `${HEAD}${tableOf(LOCK_CASES.map(rowOf))}\n`;
  await expect(text).toMatchFileSnapshot('../../docs/locks.md');
});
