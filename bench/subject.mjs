// What is measured is the package as built, by its own name. The rest of it, which no user can import, comes from dist
// by its path, with the types of src.
export { AutoMigrator } from 'nestjs-auto-migration';

/**
 * @template Module
 * @param {string} path
 * @returns {Promise<Module>}
 */
async function built(path) {
  return /** @type {Module} */ (await import(new URL(`../dist/${path}`, import.meta.url).href));
}

/** @type {typeof import('../src/schema/read-schema.js')} */
const reading = await built('schema/read-schema.js');
/** @type {typeof import('../src/schema/fingerprint.js')} */
const fingerprint = await built('schema/fingerprint.js');

export const { fingerprintQuery } = fingerprint;

const CAUGHT = new Error('The message was caught before it was sent.');

/**
 * The very message that a full look sends to the server, caught before it is sent.
 * @param {string} schema
 */
export async function catalogMessage(schema) {
  /** @type {string[]} */
  const messages = [];
  const recorder = {
    /** @param {string} text */
    query(text) {
      messages.push(text);
      return Promise.reject(CAUGHT);
    },
    cancel: () => Promise.resolve(),
    close: () => Promise.resolve(),
    pid: 0,
    isPooled: false,
    serverVersion: 0,
    mayIdentifyCluster: false,
    lost: new AbortController().signal,
  };
  await reading
    .readSchema(recorder, [{ actual: schema, reportedAs: schema }])
    .catch((/** @type {unknown} */ error) => {
      if (error !== CAUGHT) throw error;
    });
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    throw new Error(`A look at the catalog is one message, but there were ${messages.length}.`);
  }
  return message;
}
