import pg from 'pg';
import { catalogMessage, fingerprintQuery } from '../subject.mjs';

/** @import { Contender, Place } from '../contender.d.mts' */

// The physical limits: what the server and pg alone need for the same catalog rows.

/** @type {Contender} */
export const catalogQueries = {
  name: 'catalog-queries',
  title: 'limit: the catalog queries through `pg` alone',
  upTo: Infinity,
  open: async (place) => openQuery(place, await catalogMessage(place.schema)),
};

/**
 * As a check has to, which leaves no session behind: whoever is new to the server has none of the catalog in its caches.
 * @type {Contender}
 */
export const catalogQueriesByNewSession = {
  name: 'catalog-queries-new-session',
  title: 'limit: the same by a session that is opened for it',
  upTo: Infinity,
  async open({ url, schema }) {
    const sql = await catalogMessage(schema);
    return {
      run: async () => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.query(sql);
        await client.end();
        return { differences: null };
      },
      close: () => Promise.resolve(),
    };
  },
};

/** @type {Contender} */
export const fingerprint = {
  name: 'fingerprint',
  title: 'limit: the fingerprint query through `pg` alone',
  upTo: Infinity,
  open: (place) => openQuery(place, fingerprintQuery([place.schema])),
};

/**
 * @param {Place} place
 * @param {string} sql
 */
async function openQuery({ url }, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    run: async () => {
      await client.query(sql);
      return { differences: null };
    },
    close: () => client.end(),
  };
}
