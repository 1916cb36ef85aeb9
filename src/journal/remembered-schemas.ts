import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { queryRows, run, type Connection } from '../schema/connection.js';
import type { Schema, Table } from '../schema/model.js';
import { journalTablesIn } from './journal-relations.js';
import { journalTable } from './journal-tables.js';

/** What was found under a hash; nothing where there is none. */
export interface Remembered {
  readonly schema?: Schema;
  /** Why what is there cannot be used. */
  readonly warning?: string;
}

/** So that no single text keeps the application's event loop busy for long. */
const TABLES_A_PART = 50;
const KEPT = 10;

type Head = Omit<Schema, 'tables'>;

interface PartRow {
  readonly content: string;
  /** Of all parts; only the first has it. */
  readonly checksum: string | null;
}

/** The desired schema that was read from a shadow before, in PostgreSQL's words. */
export async function recallSchema(
  connection: Connection,
  journalSchema: string,
  hash: string,
): Promise<Remembered> {
  const remembered = (await journalTablesIn(connection, journalSchema)).get('desired');
  if (!remembered?.mayBeRead) return {};
  const rows = await queryRows<PartRow>(
    connection,
    `select content, checksum from ${tableOf(journalSchema)} where hash = $1 order by part`,
    [hash],
  );
  if (rows.length === 0) return {};
  const schema = await parse(hash, rows).catch(() => undefined);
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
  const table = tableOf(journalSchema);
  const parts: string[] = [JSON.stringify(head satisfies Head)];
  for (let first = 0; first < tables.length; first += TABLES_A_PART) {
    parts.push(JSON.stringify(tables.slice(first, first + TABLES_A_PART)));
    await breathe();
  }
  const checksum = await checksumOf(hash, parts);
  await run(connection, 'begin');
  try {
    await connection.query(`delete from ${table} where hash = $1`, [hash]);
    const insert = `insert into ${table} (hash, part, content, checksum) values ($1, $2, $3, $4)`;
    for (const [part, content] of parts.entries())
      await connection.query(insert, [hash, part, content, part === 0 ? checksum : null]);
    await run(connection, deleteAllButTheNewest(table));
    await run(connection, 'commit');
  } catch (error) {
    await run(connection, 'rollback').catch(() => undefined);
    throw error;
  }
}

function deleteAllButTheNewest(table: string): string {
  return `delete from ${table} where hash not in (
    select hash from ${table} where part = 0 order by remembered_at desc limit ${KEPT})`;
}

function tableOf(journalSchema: string): string {
  return journalTable(journalSchema, 'desired');
}

async function parse(hash: string, rows: readonly PartRow[]): Promise<Schema | undefined> {
  const parts = rows.map(({ content }) => content);
  if ((await checksumOf(hash, parts)) !== rows[0]?.checksum) return undefined;
  const [head = '', ...lists] = parts;
  const tables: Table[] = [];
  for (const list of lists) {
    tables.push(...(JSON.parse(list) as Table[]));
    await breathe();
  }
  return { ...(JSON.parse(head) as Head), tables };
}

async function checksumOf(hash: string, parts: readonly string[]): Promise<string> {
  const sum = createHash('sha256').update(hash);
  for (const part of parts) {
    sum.update(part);
    await breathe();
  }
  return sum.digest('hex');
}
