import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteIdentifier } from '../schema/identifier.js';
import type { Schema, Table } from '../schema/model.js';
import { journalExists } from './journal-tables.js';

/** What was found under a hash; nothing where there is none. */
export interface Remembered {
  readonly schema?: Schema;
  /** Why what is there cannot be used. */
  readonly warning?: string;
}

/** So that no single text keeps the application's event loop busy for long. */
const TABLES_A_PART = 100;
const KEPT = 10;

type Head = Omit<Schema, 'tables'>;

/** The desired schema that was read from a shadow before, in PostgreSQL's words. */
export async function recallSchema(
  connection: Connection,
  journalSchema: string,
  hash: string,
): Promise<Remembered> {
  if (!(await journalExists(connection, journalSchema))) return {};
  const rows = await queryRows<{ checksum: string; part: string }>(
    connection,
    `select checksum, unnest(parts) as part from ${quoteIdentifier(journalSchema)}.desired where hash = $1`,
    [hash],
  );
  const [first] = rows;
  if (!first) return {};
  const schema = await parse(
    hash,
    first.checksum,
    rows.map(({ part }) => part),
  );
  return schema
    ? { schema }
    : { warning: `The remembered schema ${hash.slice(0, 12)} is damaged and was not used` };
}

/** Keeps a desired schema for the next start. Only the newest few are kept. */
export async function rememberSchema(
  connection: Connection,
  journalSchema: string,
  hash: string,
  { tables, ...head }: Schema,
): Promise<void> {
  const parts: string[] = [JSON.stringify(head satisfies Head)];
  for (let first = 0; first < tables.length; first += TABLES_A_PART) {
    parts.push(JSON.stringify(tables.slice(first, first + TABLES_A_PART)));
    await breathe();
  }
  const table = `${quoteIdentifier(journalSchema)}.desired`;
  await connection.query(
    `insert into ${table} (hash, checksum, parts) values ($1, $2, $3)
     on conflict (hash) do update set checksum = excluded.checksum, parts = excluded.parts, remembered_at = default`,
    [hash, checksumOf(hash, parts), parts],
  );
  await connection.query(
    `delete from ${table} where hash not in (select hash from ${table} order by remembered_at desc limit ${KEPT})`,
    [],
  );
}

async function parse(hash: string, checksum: string, parts: readonly string[]): Promise<Schema | undefined> {
  if (checksumOf(hash, parts) !== checksum) return undefined;
  const [head = '{}', ...lists] = parts;
  const tables: Table[] = [];
  for (const list of lists) {
    tables.push(...(JSON.parse(list) as Table[]));
    await breathe();
  }
  return { ...(JSON.parse(head) as Head), tables };
}

function checksumOf(hash: string, parts: readonly string[]): string {
  const sum = createHash('sha256').update(hash);
  for (const part of parts) sum.update(part);
  return sum.digest('hex');
}
