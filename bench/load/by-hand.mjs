import pRetry from 'p-retry';
import pg from 'pg';

/** @import { DoneStep } from './healer.d.mts' */

/** As a batch of the rows that are there, by their ids. */
const BATCH = 2_000;

/** What takes a strong lock gives way after this, and tries again. */
const LOCK_TIMEOUT_MS = 1_000;
const RETRIES = 20;

/** Takes a strong lock for a moment. */
const BEFORE_FILLING = [
  `alter table booking add column channel varchar(20) not null default 'web'`,
  'alter table booking add column received_at timestamptz',
  'alter table booking alter column received_at set default clock_timestamp()',
  'alter table booking alter column note type varchar(400)',
];

/** Takes its time, and no lock that an application would meet. */
const INDEXES = [
  'create index concurrently booking_account_id on booking (account_id)',
  'create index concurrently booking_created on booking (created_at)',
  'create index concurrently booking_status on booking (status, created_at)',
  'create unique index concurrently booking_code on booking (code)',
];

const CONSTRAINTS = [
  'alter table booking add constraint booking_code unique using index booking_code',
  'alter table booking add constraint booking_amount check (amount >= 0) not valid',
  'alter table booking validate constraint booking_amount',
  `alter table booking add constraint booking_account foreign key (account_id) references account not valid`,
  'alter table booking validate constraint booking_account',
  ...['status', 'received_at'].flatMap((column) => [
    `alter table booking add constraint is_filled check (${column} is not null) not valid`,
    'alter table booking validate constraint is_filled',
    `alter table booking alter column ${column} set not null`,
    'alter table booking drop constraint is_filled',
  ]),
];

/**
 * What somebody writes who knows these tables, this data and PostgreSQL: as little as it takes to heal them without stopping
 * anybody. No look at the database, no journal, no way back.
 * @param {string} url
 * @param {(step: DoneStep) => void} onStep
 */
export async function healByHand(url, onStep) {
  const client = new pg.Client({ connectionString: url });
  // That it is cut off is told by the statement that is running.
  client.on('error', () => undefined);
  await client.connect();
  const timed = async (/** @type {string} */ what, /** @type {() => Promise<unknown>} */ task) => {
    const start = performance.now();
    await task();
    onStep({ what, ms: performance.now() - start });
  };
  const alter = (/** @type {string} */ sql) => timed(sql, () => withRetries(() => client.query(sql)));
  try {
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
    for (const sql of BEFORE_FILLING) await alter(sql);
    await timed(`fill received_at in batches of ${BATCH}`, () => fill(client));
    await client.query('set lock_timeout = 0');
    for (const sql of INDEXES) await timed(sql, () => client.query(sql));
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`);
    for (const sql of CONSTRAINTS) await alter(sql);
  } finally {
    await client.end();
  }
}

/**
 * Rows that are inserted meanwhile have the default.
 * @param {pg.Client} client
 */
async function fill(client) {
  const { rows } = await client.query('select max(id)::int as last from booking');
  const last = /** @type {{ last: number }[]} */ (rows)[0]?.last ?? 0;
  const sql =
    'update booking set received_at = clock_timestamp() where id between $1 and $2 and received_at is null';
  for (let first = 1; first <= last; first += BATCH) {
    await withRetries(() => client.query(sql, [first, first + BATCH - 1]));
  }
}

/**
 * @template Value
 * @param {() => Promise<Value>} task
 */
function withRetries(task) {
  return pRetry(task, {
    retries: RETRIES,
    minTimeout: 100,
    maxTimeout: 2_000,
    randomize: true,
    // lock_not_available, deadlock_detected
    shouldRetry: ({ error }) => 'code' in error && ['55P03', '40P01'].includes(String(error.code)),
  });
}
