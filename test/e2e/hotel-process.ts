import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { AutoMigrationModuleOptions } from '../../src/index.js';
import type { TestDatabase } from '../setup/database.js';
import { closeAfter } from '../setup/open-resources.js';

const APPLICATION = join(import.meta.dirname, 'hotel-application.mjs');
const BUILT = join(import.meta.dirname, '..', '..', 'dist', 'index.js');

/** The hotel's application as a process of its own. */
export interface HotelProcess {
  /** Settles when it has loaded its code, with `together`. */
  readonly loaded: Promise<void>;
  /** Lets it begin, with `together`. */
  readonly begin: () => void;
  /** Settles when it listens; rejects when it ends before. */
  readonly listening: Promise<string>;
  /** How it ended: its exit code, or the signal that it died of. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What our module said in its log. */
  readonly log: { level: string; message: string; timestamp: number; params?: Record<string, unknown> }[];
  /** When it had its connection to the database and all that it needs to look; in milliseconds since 1970. */
  readonly connectedAt: () => number;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly health: () => Promise<HealthCheckResult>;
}

export interface HotelProcessOptions {
  readonly migration?: AutoMigrationModuleOptions;
  readonly schedule?: boolean;
  /**
   * It loads its code and waits for `begin()`, so that several begin at the same moment.
   * @default false
   */
  readonly together?: boolean;
}

export function startHotel(
  { url }: Pick<TestDatabase, 'url'>,
  { migration = {}, schedule = false, together = false }: HotelProcessOptions = {},
): HotelProcess {
  if (!existsSync(BUILT)) throw new Error('The package is not built: run "npm run build" first');
  const setup = JSON.stringify({ url, migration: { cron: false, ...migration }, schedule, together });
  const { AUTO_MIGRATE: _switch, ...environment } = process.env;
  const child = spawn(process.execPath, [APPLICATION, setup], {
    env: { ...environment, NODE_ENV: 'production' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0));
  });
  const log: HotelProcess['log'] = [];
  const output: string[] = [];
  let connectedAt = Infinity;
  let isLoaded = (): void => undefined;
  const loaded = new Promise<void>((resolve) => {
    isLoaded = resolve;
  });
  const listening = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        const said = parse(line);
        if (said?.loaded) isLoaded();
        if (said?.listening !== undefined) resolve(said.listening);
        if (said?.context === 'AutoMigration') log.push(said);
        if (said?.message === 'TypeOrmCoreModule dependencies initialized') connectedAt = said.timestamp;
      });
    void ended.then((how) =>
      reject(new Error(`It ended with ${how} before it listened:\n${output.join('\n')}`)),
    );
  });
  // Not everybody waits for it to listen.
  listening.catch(() => undefined);
  const hotel: HotelProcess = {
    loaded,
    begin: () => void child.stdin.end('begin\n'),
    listening,
    ended,
    log,
    connectedAt: () => connectedAt,
    signal: (signal) => void child.kill(signal),
    async health() {
      const answer = await fetch(`${await listening}/health`);
      return (await answer.json()) as HealthCheckResult;
    },
  };
  closeAfter('test', () => {
    hotel.signal('SIGKILL');
    return ended;
  });
  return hotel;
}

type Line = HotelProcess['log'][number] & {
  readonly loaded?: boolean;
  readonly listening?: string;
  readonly context?: string;
};

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}
