import { startLink } from './link.mjs';
import { measureSideBySide } from './measure.mjs';
import { openDataSource } from './contenders/data-source.mjs';
import { createDatabase } from './server.mjs';

/**
 * @import { DataSource } from 'typeorm'
 * @import { Contender, Place } from './contender.d.mts'
 * @import { Figure, Pace } from './measure.mjs'
 */

/**
 * A database, and the way to it.
 * @typedef {object} Scenario
 * @property {string} title
 * @property {number} tables of the application
 * @property {number} foreign tables in other schemas
 * @property {number} delayMs of the link, from a question to its answer
 */

/**
 * @typedef {object} ScenarioFigures
 * @property {Scenario} scenario
 * @property {readonly Figure[]} figures
 */

/**
 * @param {object} size
 * @param {readonly number[]} size.sizes
 * @param {number} size.crowded
 * @param {number} size.foreign
 * @param {number} size.distant
 * @returns {Scenario[]}
 */
export function scenariosOf({ sizes, crowded, foreign, distant }) {
  return [
    ...sizes.map((tables) => ({ title: number(tables), tables, foreign: 0, delayMs: 0 })),
    ...(foreign > 0
      ? [
          {
            title: `${number(crowded)} beside ${number(foreign)} foreign`,
            tables: crowded,
            foreign,
            delayMs: 0,
          },
        ]
      : []),
    ...(distant > 0
      ? [{ title: `${number(distant)}, 40 ms away`, tables: distant, foreign: 0, delayMs: 40 }]
      : []),
  ];
}

/** @param {number} count */
function number(count) {
  return count.toLocaleString('en');
}

/**
 * @param {string} server
 * @param {Scenario} scenario
 * @param {readonly Contender[]} contenders
 * @param {Pace} pace
 * @returns {Promise<ScenarioFigures>}
 */
export async function measureScenario(server, scenario, contenders, pace) {
  const database = await createDatabase(server, scenario);
  const link = scenario.delayMs > 0 ? await startLink(database.url, scenario.delayMs) : undefined;
  /** @type {Promise<DataSource> | undefined} */
  let dataSource;
  /** @type {Place} */
  const place = {
    url: link?.url ?? database.url,
    directUrl: database.url,
    tables: database.tables,
    schema: 'public',
    dataSource: () => (dataSource ??= openDataSource(place)),
  };
  try {
    const willing = contenders.filter(({ upTo }) => scenario.tables <= upTo);
    return { scenario, figures: await measureSideBySide(willing, place, pace, link?.countRoundTrips) };
  } finally {
    await (await dataSource)?.destroy();
    await link?.close();
    await database.drop();
  }
}
