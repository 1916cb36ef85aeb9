import type { Client, ClientConfig } from 'pg';
import { DataSource } from 'typeorm';
import { ConnectionError, DataSourceError } from '../errors.js';
import type { Connect, Connection } from '../schema/connection.js';
import { requestCancel, type SessionKey } from './cancel-request.js';

/** The parts of pg's Pool that TypeORM's driver keeps under `master`. */
interface Pool {
  readonly options: ClientConfig;
  readonly Client: new (config: ClientConfig) => Client;
}

export const APPLICATION_NAME = 'nestjs-auto-migration';

/** What @nestjs/typeorm provides the default data source under. */
export const DEFAULT_DATA_SOURCE = DataSource;

/** By shape: the application may have a copy of TypeORM of its own. */
export function isDataSource(value: unknown): value is DataSource {
  return typeof value === 'object' && value !== null && 'options' in value && 'entityMetadatas' in value;
}

/** @throws DataSourceError unless the data source is an initialised PostgreSQL one */
export function assertUsable(dataSource: DataSource): void {
  if (!isDataSource(dataSource)) {
    const given = typeof dataSource === 'object' ? 'an object' : String(dataSource);
    throw new DataSourceError(`There is no data source: a DataSource of TypeORM is needed, not ${given}.`);
  }
  const { type } = dataSource.options;
  if (type !== 'postgres') {
    throw new DataSourceError(`The data source is of type "${type}"; only "postgres" can be migrated.`);
  }
  if (!dataSource.isInitialized) {
    throw new DataSourceError('The data source is not initialised. Call its initialize() first.');
  }
}

/**
 * A way to open sessions with exactly the settings of the application's own (host, TLS, password function …), by the
 * application's own copy of pg, but outside its pool: a pool of size 1 would deadlock, and what is set on our sessions
 * must never leak into the application's.
 */
export function connectorOf(dataSource: DataSource): Connect {
  return async () => {
    assertUsable(dataSource);
    return open(poolOf(dataSource));
  };
}

function poolOf(dataSource: DataSource): Pool {
  const { driver } = dataSource;
  const pool = 'master' in driver ? (driver.master as Partial<Pool> | undefined) : undefined;
  if (!pool?.Client || !pool.options) {
    throw new DataSourceError(
      'The data source has no pool of the package "pg", so no session can be opened.',
    );
  }
  return { Client: pool.Client, options: pool.options };
}

async function open({ Client, options }: Pool): Promise<Connection> {
  const client = new Client({
    ...options,
    // pg's Pool hides the password from enumeration, and so from the spread above.
    ...(options.password === undefined ? {} : { password: options.password }),
    application_name: APPLICATION_NAME,
  });
  const lost = new AbortController();
  // Without a listener the loss of an idle connection would end the process.
  client.on('error', (error) => lost.abort(error));
  const { pid, serverVersion } = await logIn(client);
  const key = keyOf(client);
  // The protocol's process is the pooler's own number.
  const isPooled = key.processId !== pid;
  const onEnd = (): void => lost.abort();
  client.once('end', onEnd);
  return {
    // pg answers a text with several statements with an array, which its types do not say.
    query: (text: string, values?: readonly unknown[]) =>
      client.query(text, values ? [...values] : undefined) as Promise<never>,
    cancel: () => (isPooled ? requestCancel(key) : cancelBackend({ Client, options }, pid)),
    close: () => {
      client.off('end', onEnd);
      return client.end().catch(() => undefined);
    },
    pid,
    isPooled,
    serverVersion,
    lost: lost.signal,
  };
}

/** What the server, or the pooler in its place, called the session at the log-in. pg's types do not know it. */
function keyOf(client: Client): SessionKey {
  const { processID, secretKey } = client as { readonly processID?: number; readonly secretKey?: number };
  return { host: client.host, port: client.port, processId: processID ?? 0, secretKey: secretKey ?? 0 };
}

interface Session {
  /** On the server, which behind a pooler is not the one of the protocol. */
  readonly pid: number;
  readonly serverVersion: number;
}

async function logIn(client: Client): Promise<Session> {
  try {
    await client.connect();
    const { rows } = await client.query<Session>(
      `select pg_backend_pid() as pid, current_setting('server_version_num')::int as "serverVersion"`,
    );
    return rows[0] ?? { pid: 0, serverVersion: 0 };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new ConnectionError(error);
  }
}

async function cancelBackend(pool: Pool, pid: number): Promise<void> {
  const other = await open(pool);
  try {
    await other.query('select pg_cancel_backend($1)', [pid]);
  } finally {
    await other.close();
  }
}
