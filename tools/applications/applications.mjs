/**
 * A real application that publishes its TypeORM entities and migrations as an npm package.
 * @typedef {object} Application
 * @property {string} packed the package and version; only its own files are fetched, without what it depends on
 * @property {readonly string[]} beside packages and versions that its entities and migrations import, with all they need
 * @property {readonly string[]} [standIns] packages that would load the whole application; the tests say what is in them
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
  n8n: {
    packed: '@n8n/db@1.41.1',
    beside: [
      '@n8n/config@2.39.0',
      '@n8n/constants@0.39.0',
      '@n8n/di@0.17.0',
      '@n8n/permissions@0.78.0',
      '@n8n/utils@1.48.0',
      'class-validator@0.14.0',
      'lodash@4.18.1',
      'nanoid@3.3.18',
      'p-lazy@3.1.0',
      'uuid@11.1.1',
      'xss@1.0.15',
      'zod@3.25.76',
    ],
    standIns: ['@n8n/api-types', '@n8n/backend-common', '@n8n/typeorm', 'n8n-core', 'n8n-workflow'],
  },
  veramo: {
    packed: '@veramo/data-store@7.0.1',
    beside: [
      '@veramo/did-manager@7.0.1',
      '@veramo/key-manager@7.0.1',
      '@veramo/utils@7.0.1',
      'debug@4.4.3',
      'did-jwt-vc@4.0.16',
      'uuid@11.1.1',
    ],
  },
});
