import type { LoggerService } from '@nestjs/common';

export interface LogLine {
  readonly level: 'debug' | 'log' | 'warn' | 'error' | 'fatal';
  readonly context: string;
  readonly message: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The application's logger, which remembers what was said. */
export class RecordedLog implements LoggerService {
  readonly lines: LogLine[] = [];

  debug = this.recorder('debug');
  log = this.recorder('log');
  warn = this.recorder('warn');
  error = this.recorder('error');
  fatal = this.recorder('fatal');

  /** What the module said. */
  get own(): LogLine[] {
    return this.lines.filter(({ context }) => context === 'AutoMigration');
  }

  /** The first line with that message. */
  find(message: string): LogLine | undefined {
    return this.own.find((line) => line.message === message);
  }

  private recorder(level: LogLine['level']): LoggerService['log'] {
    return (message: unknown, ...rest: unknown[]): void => {
      const context = rest.filter((part) => typeof part === 'string').at(-1) ?? '';
      const params = rest.find((part) => typeof part === 'object' && part !== null) ?? {};
      this.lines.push({ level, context, message: String(message), params: params as LogLine['params'] });
    };
  }
}
