import { displayName } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';

/**
 * Names to leave out of the comparison. A text stands for the whole name or its last parts (`audit_log`,
 * `public.audit_log`), with `*` for any characters; a regular expression is tried on the whole name.
 */
export type NamePattern = string | RegExp;

/** What is neither compared nor changed, on both sides. */
export interface Ignore {
  /** Tables: `public.audit_log`, `audit_*`. */
  readonly tables?: readonly NamePattern[];
  /** Columns: `staff.legacy_*`, `public.staff.legacy_id`. */
  readonly columns?: readonly NamePattern[];
  /** Indexes: `idx_manual_*`, `public.idx_manual`. */
  readonly indexes?: readonly NamePattern[];
}

/** The schema without what is to be ignored. */
export function withoutIgnored(schema: Schema, ignore: Ignore): Schema {
  const { tables: ofTables = [], columns = [], indexes = [] } = ignore;
  if (ofTables.length + columns.length + indexes.length === 0) return schema;
  const tables = schema.tables
    .filter((table) => !matches(ignore.tables, [table.schema, table.name]))
    .map((table) => withoutIgnoredParts(table, ignore));
  return { ...schema, tables };
}

function withoutIgnoredParts(table: Table, { columns, indexes }: Ignore): Table {
  return {
    ...table,
    columns: table.columns.filter(({ name }) => !matches(columns, [table.schema, table.name, name])),
    indexes: table.indexes.filter(({ name }) => !matches(indexes, [table.schema, name])),
  };
}

function matches(patterns: readonly NamePattern[] = [], parts: readonly string[]): boolean {
  return patterns.some((pattern) => matchesOne(pattern, parts));
}

function matchesOne(pattern: NamePattern, parts: readonly string[]): boolean {
  if (typeof pattern !== 'string')
    return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(displayName(...parts));
  const source = pattern.split('*').map(escapeForRegExp).join('.*');
  const expression = new RegExp(`^${source}$`, 's');
  return parts.some((_, first) => expression.test(parts.slice(first).join('.')));
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');
}
