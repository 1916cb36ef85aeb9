import { connect } from 'node:net';

/** A session as the protocol names it: behind a pooler by the pooler's own number. */
export interface SessionKey {
  readonly host: string;
  readonly port: number;
  readonly processId: number;
  readonly secretKey: number;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-CANCELREQUEST */
const CANCEL_REQUEST = 80_877_102;

/** It is no more than a wish: nobody waits long for it to be taken. */
const TIMEOUT_MS = 5000;

/**
 * Asks whoever answered the log-in to end what a session is running. A pooler hands it on to the server's session that
 * works for it at the moment, and to no other: only the pooler knows which that is. The request itself holds no secret
 * but the session's key, and is taken without TLS.
 */
export function requestCancel({ host, port, processId, secretKey }: SessionKey): Promise<void> {
  const message = Buffer.alloc(16);
  [message.length, CANCEL_REQUEST, processId, secretKey].forEach((value, i) =>
    message.writeInt32BE(value | 0, i * 4),
  );
  return new Promise((resolve, reject) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    // The other side closes, without an answer. Were we the first to, PgBouncer would forget the request.
    socket.once('connect', () => socket.write(message));
    socket.once('error', reject);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.once('close', () => resolve());
    socket.resume();
  });
}
