import { keyOf } from '../schema/identifier.js';
import type { Schema } from '../schema/model.js';

/** One schema of parts that were read one after another. What stands in several is taken once. */
export function union(parts: readonly Schema[]): Schema {
  return {
    serverVersion: parts[0]?.serverVersion ?? 0,
    fingerprint: null,
    extensions: parts[0]?.extensions ?? [],
    namespaces: once(
      parts.flatMap(({ namespaces }) => namespaces),
      ({ name }) => name,
    ),
    enums: once(
      parts.flatMap(({ enums }) => enums),
      keyOf,
    ),
    tables: parts.flatMap(({ tables }) => tables),
    refused: parts.flatMap(({ refused }) => refused),
  };
}

function once<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
