import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { closeAfter } from '../setup/open-resources.js';

/** Stands between an application and its database: listens to what is asked, and can be gone. */
export interface DatabaseProxy {
  /** Of the same database, by way of the proxy. */
  readonly url: string;
  /** Every SQL text that went through, in order. */
  readonly queries: readonly string[];
  /** The `application_name` of every session that was opened. */
  readonly sessions: readonly string[];
  /** Cuts every session and refuses new ones. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Takes connections, and what is sent on them, and hands nothing on: as a network does that swallows packets. */
  fallSilent(): void;
  /** What is opened from now on is heard again; what was open stays silent. */
  speakAgain(): void;
}

/** @param up whether the database is there from the start */
export async function startProxy(database: { readonly url: string }, up = true): Promise<DatabaseProxy> {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  const queries: string[] = [];
  const sessions: string[] = [];
  let isSilent = false;
  const fallSilent = (): void => {
    isSilent = true;
    for (const socket of sockets) socket.unpipe().resume();
  };
  const server = createServer((client) => {
    if (isSilent) {
      sockets.add(client.resume());
      client.on('error', () => client.destroy()).on('close', () => sockets.delete(client));
      return;
    }
    const upstream = connect(Number(target.port || 5432), target.hostname);
    const listener = new FrontendListener(queries, sessions);
    client.on('data', (chunk) => listener.hear(chunk));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket) && other.destroy());
      socket.on('error', () => other.destroy());
      socket.pipe(other);
    }
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const goAway = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  if (!up) await goAway();
  closeAfter('file', goAway);
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    queries,
    sessions,
    goAway,
    comeBack: () => listen(server, port),
    fallSilent,
    speakAgain: () => void (isSilent = false),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Reads the client's side of a session: a start-up message without a type, then typed ones.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
class FrontendListener {
  private rest = Buffer.alloc(0);
  private started = false;

  constructor(
    private readonly queries: string[],
    private readonly sessions: string[],
  ) {}

  hear(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let message = this.next(); message; message = this.next()) this.understand(message);
  }

  private next(): { type: string; body: string } | undefined {
    const offset = this.started ? 1 : 0;
    if (this.rest.length < offset + 4) return undefined;
    const end = offset + this.rest.readUInt32BE(offset);
    if (this.rest.length < end) return undefined;
    const type = this.started ? this.rest.toString('latin1', 0, 1) : 'start';
    const body = this.rest.toString('utf8', offset + 4, end);
    this.rest = this.rest.subarray(end);
    this.started = true;
    return { type, body };
  }

  private understand({ type, body }: { type: string; body: string }): void {
    const parts = body.split('\0');
    if (type === 'start') this.sessions.push(parts[parts.indexOf('application_name') + 1] ?? '');
    // Simple query: the text. Parse: the statement's name, then the text.
    if (type === 'Q') this.queries.push(parts[0] ?? '');
    if (type === 'P') this.queries.push(parts[1] ?? '');
  }
}
