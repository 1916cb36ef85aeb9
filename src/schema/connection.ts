/** The rows of one statement. */
export interface Result {
  readonly rows: readonly Record<string, unknown>[];
  /** How many rows it has read or changed. */
  readonly rowCount?: number | null;
}

/**
 * One session on the server, never shared with the application's pool. What `query` is given without values may hold
 * several statements and then answers with a result for each (PostgreSQL's simple protocol).
 */
export interface Connection {
  query(text: string): Promise<Result | Result[]>;
  query(text: string, values: readonly unknown[]): Promise<Result>;
  /** Asks the server to end what this session is running. */
  cancel(): Promise<void>;
  /** Closes the session; an open transaction is rolled back by the server. */
  close(): Promise<void>;
  /** On the server. Behind a pooler it is another one for each transaction. */
  readonly pid: number;
  /** A pooler stands between: what is set on the session is set on one that others get, too. */
  readonly isPooled: boolean;
  /** `server_version_num`, e.g. 180004. */
  readonly serverVersion: number;
  /** The role may ask by which identifier the cluster can be told from others. */
  readonly mayIdentifyCluster: boolean;
  /** Aborts when the session is lost without our having closed it. */
  readonly lost: AbortSignal;
}

/** Opens a new session with the rights and settings of the application's own. */
export type Connect = () => Promise<Connection>;

/** The rows of the only statement in `text`. */
export async function queryRows<Row>(
  connection: Connection,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const result = await connection.query(text, values);
  return result.rows as Row[];
}

/** Runs statements whose results do not matter. */
export async function run(connection: Connection, text: string): Promise<void> {
  await connection.query(text);
}
