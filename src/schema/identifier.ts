import type { QualifiedName } from './model.js';

/** Quotes a name for SQL, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text for SQL, right with `standard_conforming_strings` on and off. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

/** `"public"."staff"` */
export function quoteQualified({ schema, name }: QualifiedName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** `("a", "b")`'s inside. */
export function quoteList(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ');
}

/** As PostgreSQL prints a name: quoted only where it must be. Reserved words are not known here and stay bare. */
export function printedIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}

/** `public.state`, `"Other Place"."State"` */
export function printedName({ schema, name }: QualifiedName): string {
  return `${printedIdentifier(schema)}.${printedIdentifier(name)}`;
}

/** An object's name for people and reports: `public.staff.first_name`, quoted only where it would be ambiguous. */
export function displayName(...parts: readonly string[]): string {
  return parts
    .map((part) => (/^[\p{L}_][\p{L}\p{N}_$]*$/u.test(part) ? part : quoteIdentifier(part)))
    .join('.');
}

/** Without what else is known of the object. */
export function onlyName({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

/** Whether two names mean one object. */
export function isSameName(one: QualifiedName, other: QualifiedName): boolean {
  return one.schema === other.schema && one.name === other.name;
}

/** The same text for all names of one object, as a key of maps and sets. */
export function keyOf({ schema, name }: QualifiedName): string {
  return JSON.stringify([schema, name]);
}

/** By the keys of the names that items have; those that have none are left out. */
export function groupByName<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => QualifiedName | null,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    if (name === null) continue;
    const group = groups.get(keyOf(name));
    if (group) group.push(item);
    else groups.set(keyOf(name), [item]);
  }
  return groups;
}

export const MAXIMUM_BYTES = 63;

/**
 * Cuts a name as PostgreSQL does, at 63 bytes and never inside a character.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function truncateIdentifier(name: string): string {
  return truncateTo(MAXIMUM_BYTES, name);
}

/** The same to fewer bytes, to leave room for what is to follow. */
export function truncateTo(maximumBytes: number, name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= maximumBytes) return name;
  let end = maximumBytes;
  // 10xxxxxx continues a character that began before.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
