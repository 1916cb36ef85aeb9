import type { Client, ClientConfig } from 'pg';
import { ConnectionError } from '../errors.js';
import type { Connection } from '../schema/connection.js';
import { liftLimits } from '../schema/limits.js';
import { within } from '../within.js';
import { requestCancel, type SessionKey } from './cancel-request.js';
import { whileThere } from './pulse.js';

/** The parts of pg's Pool that TypeORM's driver keeps under `master`. */
export interface Pool {
  readonly options: ClientConfig;
  readonly Client: new (config: ClientConfig) => Client;
}

export const APPLICATION_NAME = 'nestjs-auto-migration';

/** How long the server may take to let a session in and to answer it, where the application does not say. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** A server that is there takes its leave at once. */
const CLOSE_TIMEOUT_MS = 1000;

/** The server, or what stands before it, takes the connection and says nothing. */
class SilentServerError extends Error {
  constructor(waitedMs: number) {
    super(`no answer within ${waitedMs / 1000} s`);
  }
}

/** @throws ConnectionError when the server is not there, lets nobody in, or says nothing in time */
export async function openSession(pool: Pool): Promise<Connection> {
  const client = clientOf(pool);
  const lost = new AbortController();
  // Without a listener the loss of an idle connection would end the process.
  client.on('error', (error) => lost.abort(error));
  const { pid, ...server } = await logIn(client, timeoutOf(pool));
  const key = keyOf(client);
  // The protocol's process is the pooler's own number.
  const isPooled = key.processId !== pid;
  const onEnd = (): void => lost.abort();
  client.once('end', onEnd);
  const isThere = (): Promise<boolean> => isAnswering(pool);
  return {
    // pg answers a text with several statements with an array, which its types do not say.
    query: (text: string, values?: readonly unknown[]) =>
      whileThere(client.query(text, values ? [...values] : undefined), isThere, () =>
        destroy(client, new SilentServerError(CONNECT_TIMEOUT_MS)),
      ) as Promise<never>,
    cancel: () => (isPooled ? requestCancel(key) : cancelBackend(pool, pid)),
    close: () => {
      client.off('end', onEnd);
      return hangUp(client);
    },
    pid,
    isPooled,
    ...server,
    lost: lost.signal,
  };
}

function clientOf({ Client, options }: Pool): Client {
  return new Client({
    ...options,
    // pg's Pool hides the password from enumeration, and so from the spread above.
    ...(options.password === undefined ? {} : { password: options.password }),
    // What stands in it would count for more than what is given beside it.
    ...(options.connectionString === undefined
      ? {}
      : { connectionString: options.connectionString.replace(/(?<=[?&])application_name=[^&#]*/g, '') }),
    application_name: APPLICATION_NAME,
    // Ours, so that what takes too long is told from what is refused.
    connectionTimeoutMillis: 0,
    keepAlive: true,
  });
}

/** In milliseconds; the application's own, where it has one. */
function timeoutOf({ options: { connectionTimeoutMillis = 0 } }: Pool): number {
  return connectionTimeoutMillis > 0 ? connectionTimeoutMillis : CONNECT_TIMEOUT_MS;
}

/** What the server, or the pooler in its place, called the session at the log-in. pg's types do not know it. */
function keyOf(client: Client): SessionKey {
  const { processID, secretKey } = client as { readonly processID?: number; readonly secretKey?: number };
  return { host: client.host, port: client.port, processId: processID ?? 0, secretKey: secretKey ?? 0 };
}

/** On the server, which behind a pooler is not the one of the protocol. */
type Session = Pick<Connection, 'pid' | 'serverVersion' | 'mayIdentifyCluster'>;

async function logIn(client: Client, timeoutMs: number): Promise<Session> {
  try {
    const session = await within(timeoutMs, greet(client));
    if (session) return session;
    throw new SilentServerError(timeoutMs);
  } catch (error) {
    await hangUp(client);
    throw new ConnectionError(error);
  }
}

async function greet(client: Client): Promise<Session> {
  await client.connect();
  // Behind a pooler the session is not ours to free of anything.
  const { rows } = await client.query<Session>(
    `select pg_backend_pid() as pid, current_setting('server_version_num')::int as "serverVersion",
       coalesce(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false) as "mayIdentifyCluster",
       case when pg_backend_pid() = ${keyOf(client).processId} then array[${liftLimits('session')}] end`,
  );
  return rows[0] ?? { pid: 0, serverVersion: 0, mayIdentifyCluster: false };
}

/** Whoever says anything is there, be it that nobody is let in. A busy pooler has no time for statements, but answers. */
async function isAnswering(pool: Pool): Promise<boolean> {
  const client = clientOf(pool);
  client.on('error', () => undefined);
  const answered = client.connect().then(
    () => true,
    () => true,
  );
  try {
    return (await within(timeoutOf(pool), answered)) === true;
  } finally {
    await hangUp(client);
  }
}

/** Takes leave, and goes without an answer where none comes. */
async function hangUp(client: Client): Promise<void> {
  await within(
    CLOSE_TIMEOUT_MS,
    client.end().catch(() => undefined),
  );
  destroy(client);
}

/** pg over libpq has no such connection. */
function destroy(client: Client, error?: Error): void {
  const { connection } = client as Partial<Pick<Client, 'connection'>>;
  connection?.stream.destroy(error);
}

async function cancelBackend(pool: Pool, pid: number): Promise<void> {
  const other = await openSession(pool);
  try {
    await other.query('select pg_cancel_backend($1)', [pid]);
  } finally {
    await other.close();
  }
}
