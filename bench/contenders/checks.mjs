import pg from 'pg';
import { AutoMigrator } from '../subject.mjs';

/** @import { Contender } from '../contender.d.mts' */

/** @type {Contender} */
export const steadyCheck = {
  name: 'steady-check',
  title: '`check()` where nothing has changed',
  upTo: Infinity,
  async open(place) {
    const migrator = new AutoMigrator(await place.dataSource());
    return {
      // Others change the catalog between the rounds, and an idle pool closes its connections.
      prepare: async () => {
        await check(migrator);
      },
      run: () => check(migrator),
      close: () => Promise.resolve(),
    };
  },
};

/** @type {Contender} */
export const fullCheck = {
  name: 'full-check',
  title: '`check()` after somebody changed the catalog',
  upTo: Infinity,
  async open(place) {
    const migrator = new AutoMigrator(await place.dataSource());
    await migrator.check();
    const somebody = new pg.Client({ connectionString: place.directUrl });
    await somebody.connect();
    return {
      // A right is no drift, but it writes a row of the catalog anew, so that everything has to be read again.
      prepare: async () => {
        await somebody.query(`grant select on ${place.schema}.${place.tables[0]?.name} to public`);
      },
      run: () => check(migrator),
      close: () => somebody.end(),
    };
  },
};

/** @param {AutoMigrator} migrator */
async function check(migrator) {
  const { verdict, drift, error } = await migrator.check();
  if (verdict !== 'in-sync') {
    throw new Error(`The bench's own tables are not what its entities ask for: ${error ?? describe(drift)}`);
  }
  return { differences: drift.length };
}

/** @param {readonly { readonly kind: string, readonly object: string }[]} drift */
function describe(drift) {
  return drift
    .map(({ kind, object }) => `${kind} ${object}`)
    .slice(0, 5)
    .join(', ');
}
