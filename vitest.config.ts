import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // TypeORM's decorators need the types of the fields; without this it ends with ColumnTypeUndefinedError.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  // The sample imports the package by its name; tested is what stands in src, not what was built last.
  resolve: {
    alias: [
      {
        find: /^nestjs-auto-migration$/,
        replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/postgres.ts'],
    setupFiles: ['test/setup/close-resources.ts'],
    // TypeORM and Nest take two seconds to import: a worker does it once.
    isolate: false,
    unstubEnvs: true,
    restoreMocks: true,
    // Mostly they wait for the server.
    maxWorkers: 3,
    hookTimeout: 60_000,
    testTimeout: 60_000,
  },
});
