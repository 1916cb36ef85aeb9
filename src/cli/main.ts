import { runCommandLine } from './program.js';

/** Only a healing has something to end in order; a second signal ends that, too, at once. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping.signal;
}

/** It can be made wider and narrower at any time. */
const terminal = {
  get columns(): number {
    return process.stderr.columns;
  },
  write: (text: string): void => void process.stderr.write(text),
};

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  {
    out: (text) => process.stdout.write(`${text}\n`),
    error: (text) => process.stderr.write(`${text}\n`),
    terminal: process.stderr.isTTY ? terminal : undefined,
  },
  stopOnSignal,
);
