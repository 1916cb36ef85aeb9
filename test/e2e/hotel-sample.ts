import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SAMPLE = fileURLToPath(new URL('../../sample/hotel/', import.meta.url));

/** What a command of the sample wrote and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A process of the hotel sample, as built. */
export class HotelProcess {
  output = '';
  private readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(script: string, environment: Readonly<Record<string, string>>, args: readonly string[] = []) {
    const { DATABASE_URL: _, ...inherited } = process.env;
    this.process = spawn(process.execPath, [script, ...args], {
      cwd: SAMPLE,
      env: { ...inherited, NO_COLOR: '1', ...environment },
    });
    this.ended = once(this.process, 'close');
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Waits until the log says a thing; answers with the groups of the match. */
  async says(pattern: RegExp): Promise<readonly string[]> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match.slice(1);
      if (this.process.exitCode !== null)
        throw new Error(`It ended without saying ${pattern}: ${this.output}`);
      await Promise.race([once(this.process.stdout ?? this.process, 'data'), this.ended]);
    }
  }

  /** Asks it to end, as an orchestrator does. */
  async stop(): Promise<Ended> {
    this.process.kill('SIGTERM');
    return this.end();
  }

  async end(): Promise<Ended> {
    await this.ended;
    return { code: this.process.exitCode, output: this.output };
  }
}

/** The application on a free port. Says where it listens. */
export async function startHotel(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ hotel: HotelProcess; url: string }> {
  const hotel = new HotelProcess('dist/main.js', { DATABASE_URL: databaseUrl, PORT: '0', ...environment });
  const [url = ''] = await hotel.says(/Health: (\S+)\/health/);
  return { hotel, url };
}
