import pg from 'pg';

/**
 * A client of pg, as far as its statements and its end are concerned.
 *
 * @typedef {object} Session
 * @property {(...args: unknown[]) => unknown} query
 * @property {(...args: unknown[]) => unknown} connect
 * @property {number} [processID] of the server's process
 * @property {{ readonly stream: { destroy(): void } }} connection
 * @property {(event: 'end', listener: () => void) => unknown} once
 */

/**
 * A statement on its way to the server.
 *
 * @typedef {object} Statement
 * @property {Session} session
 * @property {string} text
 * @property {readonly unknown[]} values
 */

/** @typedef {(statement: Statement, send: () => Promise<unknown>) => Promise<unknown>} OnStatement */

/**
 * The package pg, for a data source, with each statement of its sessions led through a function: of the application's own
 * pool and of the healing alike.
 *
 * @param {OnStatement} onStatement
 * @param {(session: Session) => void} [onSession] told of each session before it connects; what it throws keeps it from that
 * @returns {object}
 */
export function interceptedDriver(onStatement, onSession = () => undefined) {
  const Client = /** @type {new (...options: unknown[]) => Session} */ (/** @type {unknown} */ (pg.Client));
  class InterceptedClient extends Client {
    /** @param {unknown[]} options */
    constructor(...options) {
      super(...options);
      const [query, connect] = [this.query.bind(this), this.connect.bind(this)];
      this.query = (/** @type {unknown[]} */ ...args) => {
        const [text, values] = args;
        if (typeof text !== 'string' || args.some((each) => typeof each === 'function'))
          return query(...args);
        const statement = { session: this, text, values: Array.isArray(values) ? values : [] };
        return onStatement(statement, async () => query(...args));
      };
      this.connect = (/** @type {unknown[]} */ ...args) => {
        onSession(this);
        return connect(...args);
      };
    }
  }
  class InterceptedPool extends pg.Pool {
    /** @param {import('pg').PoolConfig} options */
    constructor(options) {
      super(options);
      Object.assign(this, { Client: InterceptedClient });
    }
  }
  return /** @type {object} */ (Object.create(pg, { Pool: { value: InterceptedPool } }));
}

/** What only the session asks that holds the lock of the one healer: its class is 'amig'. */
export const LOCK = 'pg_try_advisory_xact_lock(1634560359,';

/** It is asked now and then, by the clock: no point of a run. */
const ONLOOKER = 'pg_blocking_pids(';

/**
 * Calls a function with the number of each statement, from 1. A run sends the same ones each time.
 *
 * @param {(number: number, statement: Statement, send: () => Promise<unknown>) => Promise<unknown>} onNumbered
 * @returns {OnStatement}
 */
export function numbered(onNumbered) {
  let number = 0;
  return (statement, send) =>
    statement.text.includes(ONLOOKER) ? send() : onNumbered(++number, statement, send);
}
