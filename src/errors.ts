/** What every error of this library is, so that callers can tell ours from others'. Messages hold no secrets. */
export class AutoMigrationError extends Error {
  override readonly name: string = 'AutoMigrationError';
}

/** An option has a value that it cannot have. Fails the boot at once. */
export class InvalidOptionError extends AutoMigrationError {
  override readonly name = 'InvalidOptionError';

  constructor(
    /** The option's path: `health.path`. */
    readonly option: string,
    problem: string,
  ) {
    super(redact(`Option "${option}" of nestjs-auto-migration: ${problem}`));
  }
}

/** The data source is missing, not PostgreSQL or not initialised. Nothing was looked at. */
export class DataSourceError extends AutoMigrationError {
  override readonly name = 'DataSourceError';
}

/** The file that should export the data source, or an entity of it, failed while it was loaded. The message holds the stack. */
export class DataSourceFileError extends AutoMigrationError {
  override readonly name = 'DataSourceFileError';

  constructor(file: string, cause: unknown) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(redact(`${file} failed while it and its entities were loaded: ${stack}`), { cause });
  }
}

/** The server could not be reached, or refused the log-in. Nothing was looked at. */
export class ConnectionError extends AutoMigrationError {
  override readonly name = 'ConnectionError';

  constructor(cause: unknown) {
    super(`Cannot connect to PostgreSQL: ${describeError(cause)}. Nothing was compared or changed.`, {
      cause,
    });
  }
}

/** What the entities ask for could not be built in the shadow, so there is nothing to compare with. */
export class DesiredSchemaError extends AutoMigrationError {
  override readonly name = 'DesiredSchemaError';

  constructor(
    /** The table whose definition failed: `public.staff`; undefined where no single one is to blame. */
    readonly object: string | undefined,
    problem: string,
  ) {
    const what =
      object === undefined ? 'what the entities ask for' : `what the entities ask for in ${object}`;
    super(`PostgreSQL cannot build ${what}: ${problem}. Nothing was compared or changed.`);
  }
}

/** Behind a pooler there was no second connection to the server, beside the one of the lock. Nothing was changed. */
export class PoolTooSmallError extends AutoMigrationError {
  override readonly name = 'PoolTooSmallError';

  constructor(
    /** How long it was waited for, in milliseconds. */
    readonly waitedMs: number,
  ) {
    super(
      `The pooler gave no second connection to the server within ${waitedMs / 1000} s. Healing needs two at a time, as one holds the lock of the one healer. Nothing was changed. Give the pool at least two (PgBouncer: default_pool_size), or heal by a data source that names the server itself.`,
    );
  }
}

/** The journal cannot be written. No change is begun without a record of it; the message tells what was made before. */
export class JournalError extends AutoMigrationError {
  override readonly name = 'JournalError';
}

/** The healing was asked to stop (shutdown), or lost the lock that makes it the only one. */
export class HealingStoppedError extends AutoMigrationError {
  override readonly name = 'HealingStoppedError';
}

/** PostgreSQL's codes that are acted on. https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SqlState = {
  lockNotAvailable: '55P03',
  deadlockDetected: '40P01',
  notNullViolation: '23502',
  checkViolation: '23514',
  /** By a timeout, or by somebody's request. */
  queryCanceled: '57014',
  /** A table, an index, a view … of that name is there. */
  duplicateTable: '42P07',
  insufficientPrivilege: '42501',
  undefinedTable: '42P01',
  /** A standby, or a session that was made so. */
  readOnly: '25006',
} as const;

/** The SQLSTATE of an error from the server. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** An error in one line, with PostgreSQL's detail, without passwords or connection strings. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  // Node reports a refused connection to both of localhost's addresses as an AggregateError without a message.
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  const detail = 'detail' in error && typeof error.detail === 'string' ? ` (${error.detail})` : '';
  return redact(`${error.message}${detail}`);
}

const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*(?::\S*)?@/gi;
/** As a parameter of a URL, and in the words of libpq: `host=db password='x y'`. */
const PASSWORD = /\b((?:ssl|PG)?pass(?:word)?\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&'"]+)/gi;

/** Takes the credentials out of every connection string in a text. */
export function redact(text: string): string {
  return text.replace(CREDENTIALS, '$1***@').replace(PASSWORD, '$1***');
}
