import pg from 'pg';
import { AutoMigrator } from '../subject.mjs';
import { EXPRESSION } from './tables.mjs';

/** @import { Healer } from '../load/healer.d.mts' */

const UPDATE = `update booking set reference = ${EXPRESSION} where reference is null`;

/** As many as in the limit of the load. */
const BATCH = 2_000;

/** @type {Healer} */
const us = {
  name: 'us',
  title: '`AutoMigrator.heal()`, online',
  async heal({ dataSource }, onStep) {
    const { error } = await new AutoMigrator(dataSource, {
      execution: 'online',
      backfills: [{ table: 'booking', column: 'reference', expression: EXPRESSION }],
    }).heal({
      onApplied: ({ action, object, durationMs }) => onStep({ what: `${action} ${object}`, ms: durationMs }),
    });
    if (error) throw new Error(error);
  },
};

/** @type {Healer} */
const plain = {
  name: 'plain',
  title: 'one plain UPDATE of all rows',
  heal: ({ url }) => withClient(url, (client) => client.query(UPDATE)),
};

/** @type {Healer} */
const byHand = {
  name: 'by-hand',
  title: `UPDATEs of ${BATCH.toLocaleString('en')} rows by their ids, written by hand, without a pause`,
  heal: ({ url }) =>
    withClient(url, async (client) => {
      const { rows } = await client.query('select max(id)::int as last from booking');
      const last = /** @type {{ last: number }[]} */ (rows)[0]?.last ?? 0;
      for (let first = 1; first <= last; first += BATCH) {
        await client.query(`${UPDATE} and id between $1 and $2`, [first, first + BATCH - 1]);
      }
    }),
};

export const FILLERS = [plain, byHand, us];

/**
 * @param {string} url
 * @param {(client: pg.Client) => Promise<unknown>} task
 */
async function withClient(url, task) {
  const client = new pg.Client({ connectionString: url });
  // That it is cut off is told by the statement that is running.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await task(client);
  } finally {
    await client.end();
  }
}
