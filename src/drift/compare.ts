import { displayName } from '../schema/identifier.js';
import type { Refusal, Schema } from '../schema/model.js';
import { Renames } from './compare-renames.js';
import { compareEnums } from './compare-enums.js';
import { compareTables } from './compare-tables.js';
import type { Difference } from './drift-kind.js';
import { translateEnums, type EnumGuise } from './enum-guises.js';

/**
 * Compares two schemas that were read from servers of one version. Pure: equal texts are equal things, because the same
 * PostgreSQL wrote both.
 */
export function compareSchemas(desired: Schema, actual: Schema): Difference[] {
  return [...differencesOf(desired, actual)].flat();
}

/** The same, a table at a time. */
export function* differencesOf(desired: Schema, actual: Schema): Generator<Difference[]> {
  const renames = Renames.between(desired, actual);
  if (!renames) {
    yield* differencesByName(desired, actual);
    return;
  }
  for (const differences of differencesByName(desired, renames.actual)) yield renames.assign(differences);
  yield renames.findings();
}

function* differencesByName(desired: Schema, actual: Schema): Generator<Difference[]> {
  const { desired: translated, guises } = translateEnums(desired, actual);
  yield desired.refused.map(refused);
  yield compareExtensions(desired, actual);
  yield compareNamespaces(desired, actual);
  yield [...compareEnums(translated, actual), ...guises.map(disguised)];
  yield* compareTables(translated, actual);
}

/** An entity's mistake, told where it would otherwise be a missing table. */
function refused({ schema, name, constraint, reason }: Refusal): Difference {
  const object = displayName(schema, name, ...(constraint === null ? [] : [constraint]));
  return { kind: 'refused-entity', object, table: { schema, name }, desired: null, actual: null, reason };
}

function disguised({ wanted, found }: EnumGuise): Difference {
  return {
    kind: 'named-differently',
    object: displayName(found.schema, found.name),
    table: null,
    desired: displayName(wanted.schema, wanted.name),
    actual: displayName(found.schema, found.name),
    is: 'enum',
    wanted: wanted.name,
    found: found.name,
  };
}

function compareExtensions(desired: Schema, actual: Schema): Difference[] {
  return desired.extensions
    .filter(({ name }) => !actual.extensions.some((extension) => extension.name === name))
    .map((wanted) => ({
      kind: 'missing-extension',
      object: displayName(wanted.name),
      table: null,
      desired: 'extension',
      actual: null,
      wanted,
    }));
}

function compareNamespaces(desired: Schema, actual: Schema): Difference[] {
  const found = new Set(actual.namespaces.map(({ name }) => name));
  return desired.namespaces
    .filter(({ name }) => !found.has(name))
    .map(({ name }) => ({
      kind: 'missing-schema',
      object: displayName(name),
      table: null,
      desired: 'schema',
      actual: null,
      wanted: name,
    }));
}
