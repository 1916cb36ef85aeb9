import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestDatabase } from '../setup/database.js';

const VICTIM = join(import.meta.dirname, 'victim.mjs');

/** Where a process kills itself: before a statement, once it is sent, or once it is answered. */
export interface Kill {
  /** Of the statement, from 1. */
  readonly at: number;
  readonly moment: 'before' | 'sent' | 'after';
}

/** A process that heals and dies of SIGKILL; answers with what it died of, or with its exit code. */
export async function healAndDie({ url }: TestDatabase, { at, moment }: Kill): Promise<string | number> {
  const child = spawn(process.execPath, [VICTIM, url, String(at), moment], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code ?? 0;
}
