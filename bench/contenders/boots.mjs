import { AutoMigrator } from '../subject.mjs';
import { execute } from '../server.mjs';
import { openDataSource } from './data-source.mjs';

/**
 * @import { DataSource } from 'typeorm'
 * @import { Contender, OpenContender, Place } from '../contender.d.mts'
 */

// What the module does at bootstrap, in an application that has just started: heal() of a new AutoMigrator on a new data
// source. TypeORM's own initialize() is measured apart, as the application pays for it anyway.

/** @type {Contender} */
export const firstBoot = {
  name: 'first-boot',
  title: 'boot with entities never seen before: `heal()` builds a shadow',
  upTo: Infinity,
  open: (place) => Promise.resolve(bootOf(place, () => forget(place))),
};

/** @type {Contender} */
export const secondBoot = {
  name: 'second-boot',
  title: 'boot with entities seen before: `heal()` recalls them',
  upTo: Infinity,
  async open(place) {
    const before = new Application(place);
    await before.start();
    await before.boot();
    await before.stop();
    return bootOf(place, () => Promise.resolve());
  },
};

/** @type {Contender} */
export const initialization = {
  name: 'initialize',
  title: "the application's own `DataSource.initialize()`",
  upTo: Infinity,
  open: (place) => {
    const application = new Application(place);
    const run = async () => {
      await application.start();
      return { differences: null };
    };
    return Promise.resolve({ run, cleanUp: () => application.stop(), close: () => application.stop() });
  },
};

/** @param {Place} place */
export async function forget({ directUrl }) {
  await execute(directUrl, ['drop schema if exists auto_migration cascade']);
}

/**
 * @param {Place} place
 * @param {() => Promise<void>} prepare
 * @returns {OpenContender}
 */
function bootOf(place, prepare) {
  const application = new Application(place);
  return {
    prepare: async () => {
      await prepare();
      await application.start();
    },
    run: async () => ({ differences: await application.boot() }),
    cleanUp: () => application.stop(),
    close: () => application.stop(),
  };
}

class Application {
  /** @type {DataSource | undefined} */
  #dataSource;
  #place;

  /** @param {Place} place */
  constructor(place) {
    this.#place = place;
  }

  async start() {
    this.#dataSource = await openDataSource(this.#place);
  }

  async boot() {
    if (!this.#dataSource) throw new Error('The application has not started.');
    const { outcome, drift, error } = await new AutoMigrator(this.#dataSource).heal({ trigger: 'bootstrap' });
    if (outcome !== 'nothing-to-do') throw new Error(`The boot ended with ${outcome}: ${error}`);
    return drift.length;
  }

  async stop() {
    await this.#dataSource?.destroy();
    this.#dataSource = undefined;
  }
}
