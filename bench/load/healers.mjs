import { setTimeout as wait } from 'node:timers/promises';
import { AutoMigrator } from '../subject.mjs';
import { healByHand } from './by-hand.mjs';

/** @import { Healer } from './healer.d.mts' */

/** As the watch would at its next tick, if not so soon. */
const NEXT_RUN_MS = 1_000;
/** What fails for good is left open. */
const MOST_RUNS = 10;

/** @type {Healer} */
const us = {
  name: 'us',
  title: '`AutoMigrator.heal()`, online',
  async heal({ dataSource, signal }, onStep) {
    const migrator = new AutoMigrator(dataSource, { execution: 'online' });
    for (let run = 1; ; run++) {
      const { error, failed } = await migrator.heal({
        onApplied: ({ action, object, durationMs }) =>
          onStep({ what: `${action} ${object}`, ms: durationMs }),
      });
      if (error) throw new Error(error);
      for (const each of failed)
        onStep({ what: `failed: ${each.action} ${each.object}: ${each.error}`, ms: null });
      if (failed.length === 0 || run === MOST_RUNS || signal.aborted) return;
      await wait(NEXT_RUN_MS);
    }
  },
};

/** @type {Healer} */
const typeorm = {
  name: 'typeorm',
  title: "TypeORM's `synchronize()`",
  async heal({ dataSource }) {
    await dataSource.synchronize();
  },
};

/** @type {Healer} */
const byHand = {
  name: 'by-hand',
  title: 'the limit: online SQL, written by hand for just these tables',
  heal: ({ url }, onStep) => healByHand(url, onStep),
};

export const HEALERS = [us, typeorm, byHand];

/** With somebody's open transaction in the way. */
export const HEALERS_OF_BLOCKED = [us, typeorm];
