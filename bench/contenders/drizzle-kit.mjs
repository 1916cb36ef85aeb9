import pg from 'pg';
import { PRECISION, SCALE } from '../fixture/tables.mjs';
import { loadPeer } from '../peers/load.mjs';

/**
 * @import { Contender } from '../contender.d.mts'
 * @import { FixtureTable, TableColumn } from '../fixture/tables.mjs'
 * @import { DrizzleColumn, DrizzlePostgres, DrizzleSql } from '../peers/peers.d.mts'
 */

/** @type {Contender} */
export const drizzleKit = {
  name: 'drizzle-kit',
  title: 'drizzle-kit `pushSchema()`',
  // With 1,000 one run takes ten minutes.
  upTo: 100,
  async open({ url, schema, tables }) {
    const [{ pushSchema }, { drizzle }, core, { sql }] = await Promise.all([
      loadPeer('drizzle-kit/api'),
      loadPeer('drizzle-orm/node-postgres'),
      loadPeer('drizzle-orm/pg-core'),
      loadPeer('drizzle-orm'),
    ]);
    const pool = new pg.Pool({ connectionString: url });
    const database = drizzle(pool);
    const desired = toTables(tables, core, sql);
    return {
      run: async () => {
        const { statementsToExecute } = await quietly(() => pushSchema(desired, database, [schema]));
        return { differences: statementsToExecute.length };
      },
      close: () => pool.end(),
    };
  },
};

/**
 * Without the spinner that it turns on the terminal.
 * @template Result
 * @param {() => Promise<Result>} task
 */
async function quietly(task) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  try {
    return await task();
  } finally {
    process.stdout.write = write;
  }
}

/**
 * @param {readonly FixtureTable[]} tables
 * @param {DrizzlePostgres} core
 * @param {DrizzleSql['sql']} sql
 */
function toTables(tables, core, sql) {
  /** @type {Record<string, Record<string, unknown>>} */
  const made = {};
  for (const { name, columns, indexes, references } of tables) {
    made[name] = core.pgTable(
      name,
      Object.fromEntries(columns.map((column) => [column.name, toColumn(column, core, sql)])),
      // Asked for when all tables are there.
      (table) => [
        ...indexes.map((index) =>
          (index.unique ? core.uniqueIndex(index.name) : core.index(index.name)).on(
            ...index.columns.map((column) => table[column]),
          ),
        ),
        ...references.map((reference) =>
          core.foreignKey({
            name: reference.name,
            columns: [table[reference.column]],
            foreignColumns: [made[tables[reference.table]?.name ?? '']?.['id']],
          }),
        ),
      ],
    );
  }
  return made;
}

/**
 * @param {TableColumn} column
 * @param {DrizzlePostgres} core
 * @param {DrizzleSql['sql']} sql
 */
function toColumn(column, core, sql) {
  const { type, notNull, default: value } = column;
  const bare = bareColumn(column, core);
  if (type === 'serial') return bare.primaryKey();
  const nullable =
    value === undefined ? bare : bare.default(typeof value === 'object' ? sql.raw(value.sql) : value);
  return notNull ? nullable.notNull() : nullable;
}

/**
 * @param {TableColumn} column
 * @param {DrizzlePostgres} core
 * @returns {DrizzleColumn}
 */
function bareColumn({ name, type, length }, core) {
  switch (type) {
    case 'varchar':
      return core.varchar(name, { length });
    case 'numeric':
      return core.numeric(name, { precision: PRECISION, scale: SCALE });
    case 'double precision':
      return core.doublePrecision(name);
    case 'timestamptz':
      return core.timestamp(name, { withTimezone: true });
    case 'bigint':
      return core.bigint(name, { mode: 'number' });
    default:
      return core[type](name);
  }
}
