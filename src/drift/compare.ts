import { displayName } from '../schema/identifier.js';
import type { Schema } from '../schema/model.js';
import { compareEnums } from './compare-enums.js';
import { compareTables } from './compare-tables.js';
import type { Difference } from './drift-kind.js';

/**
 * Compares two schemas that were read from servers of one version. Pure: equal texts are equal things, because the same
 * PostgreSQL wrote both.
 */
export function compareSchemas(desired: Schema, actual: Schema): Difference[] {
  return [
    ...compareNamespaces(desired, actual),
    ...compareEnums(desired, actual),
    ...compareTables(desired.tables, actual.tables),
  ];
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
