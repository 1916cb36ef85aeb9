/**
 * A real application that publishes its TypeORM entities and migrations as an npm package.
 * @typedef {object} Application
 * @property {string} packed the package and version; only its own files are fetched, without what it depends on
 * @property {readonly string[]} beside packages and versions that its entities and migrations import, with all they need
 */

/** @type {Readonly<Record<string, Application>>} */
export const APPLICATIONS = Object.freeze({
  flowise: { packed: 'flowise@3.1.2', beside: ['uuid@9.0.1'] },
  medusa: {
    packed: '@medusajs/medusa@1.20.8',
    beside: [
      '@medusajs/modules-sdk@1.12.12',
      '@medusajs/utils@1.11.10',
      'class-transformer@0.5.1',
      'class-validator@0.14.1',
      'glob@7.2.3',
      'medusa-core-utils@1.2.3',
      'medusa-telemetry@0.0.18',
    ],
  },
});
