import base from '../../vitest.config.js';

/**
 * The proofs for many replicas at the size that they are meant for; `npm test` runs them small. Not merged, as that would
 * add to what is included.
 */
export default {
  ...base,
  test: {
    ...base.test,
    env: { REPLICAS: '20', ROUNDS: '10', SIDE_BY_SIDE_SECONDS: '60' },
    include: ['test/claims/replicas.test.ts', 'test/claims/side-by-side.test.ts'],
    // One at a time, or they would measure each other.
    maxWorkers: 1,
    testTimeout: 600_000,
  },
};
