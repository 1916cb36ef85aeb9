import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Moment, Victim } from '../../test/faults/fault.js';
import type { Outcome } from '../../test/faults/trial.js';

const FILE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const [BEGIN, END] = ['<!-- faults -->', '<!-- end of faults -->'];

/** The cells of a line of the table, by the heads of `HEADS`. */
export type Row = readonly string[];

const HEADS = [
  'what the run was at',
  'process killed',
  'its connection ended before',
  'and after',
  "the lock's connection ended",
  'killed in the middle of a concurrent statement',
  'converged',
];

/** One kind of change: how often it was tried to stop it, how, and how often that was in vain. */
export function rowOf(kind: string, outcomes: readonly Outcome[]): Row {
  const count = (victim: Victim | null, moment: Moment): number =>
    outcomes.filter(({ fault }) => (victim === null || fault.victim === victim) && fault.moment === moment)
      .length;
  const converged = outcomes.filter(({ difference, point }) => difference === null && point !== null).length;
  const counts = [
    count('process', 'before'),
    count('session', 'before'),
    count('session', 'after'),
    count('lock', 'before'),
    count(null, 'middle'),
  ];
  return [
    kind,
    ...counts.map((each) => (each === 0 ? '–' : String(each))),
    `${converged} of ${outcomes.length}`,
  ];
}

/** As prettier writes it. */
export function printTable(rows: readonly Row[]): string {
  const widths = HEADS.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: Row): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(HEADS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Puts rows into the document, in the place of those of the same kinds. */
export function writeRows(rows: readonly Row[]): void {
  const text = readFileSync(FILE, 'utf8');
  const [before = '', rest = ''] = text.split(`${BEGIN}\n`);
  const [table = '', after = ''] = rest.split(END);
  const kept = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line): Row =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const all = new Map([...kept, ...rows].map((row) => [row[0], row]));
  writeFileSync(FILE, `${before}${BEGIN}\n\n${printTable([...all.values()])}\n\n${END}${after}`);
}
