import { join } from 'node:path';
import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

/** Where another version of TypeORM was installed; src and the tests have to get the same one. */
const modules = process.env['MATRIX_MODULES'];

const another = (name: string) => ({
  find: new RegExp(`^${name}(?=$|/)`),
  replacement: join(modules ?? '', name),
});

export default modules
  ? mergeConfig(base, { resolve: { alias: ['typeorm', '@nestjs/typeorm'].map(another) } })
  : base;
