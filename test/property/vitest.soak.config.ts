import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

export default {
  ...mergeConfig(base, {}),
  test: { ...base.test, include: ['test/property/soak.ts'], disableConsoleIntercept: true },
};
