import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

const LOOK_EVERY_MS = 50;

/** Whether somebody waits for the session: whoever heals, or the application behind them. */
const IS_WAITED_FOR = `select exists (
  select from pg_locks where not granted and $1 = any (pg_blocking_pids(pid))) as yes`;

/**
 * Somebody who wrote a row and then forgets the transaction. It holds no row that the application asks for.
 * @param {string} url
 * @param {number} ms how long it stays open once somebody waits for it
 */
export async function openTransaction(url, ms) {
  const healed = new AbortController();
  const forgetful = await connect(url);
  const observer = await connect(url);
  await forgetful.query('begin');
  await forgetful.query(
    `insert into booking (code, account_id, status, amount, note) values ('forgotten', 1, 'new', 0, 'a call came in')`,
  );
  const { rows } = await forgetful.query('select pg_backend_pid() as pid');
  const { pid } = /** @type {[{ pid: number }]} */ (rows)[0];

  const isWaitedFor = async () => {
    const answer = await observer.query(IS_WAITED_FOR, [pid]);
    return /** @type {[{ yes: boolean }]} */ (answer.rows)[0].yes;
  };
  const forget = async () => {
    try {
      let isMet = false;
      while (!isMet && !healed.signal.aborted) {
        isMet = await isWaitedFor();
        await wait(isMet ? ms : LOOK_EVERY_MS);
      }
      await forgetful.query('rollback');
      return isMet;
    } finally {
      await Promise.all([forgetful.end(), observer.end()]);
    }
  };
  const forgotten = forget();
  return {
    /**
     * Once the tables are healed nobody will come any more.
     * @returns whether anybody had to wait for it
     */
    end() {
      healed.abort();
      return forgotten;
    },
  };
}

/** @param {string} url */
async function connect(url) {
  const client = new pg.Client({ connectionString: url, application_name: 'bench blocker' });
  // That it is cut off is told by the statement that is running.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
