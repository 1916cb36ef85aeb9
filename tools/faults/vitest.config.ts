import base from '../../vitest.config.js';

/** Each fault at each statement; `npm test` takes some of them. Not merged, as that would add to what is included. */
export default {
  ...base,
  test: {
    ...base.test,
    include: ['tools/faults/*.test.ts'],
    maxWorkers: 1,
    // Each waits for the server for half of its time.
    maxConcurrency: 3,
    // The tables are told as they are.
    disableConsoleIntercept: true,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
};
