import { PRECISION, referenceOf, SCALE } from '../fixture/tables.mjs';
import { loadPeer } from '../peers/load.mjs';

/**
 * @import { Contender } from '../contender.d.mts'
 * @import { FixtureTable, TableColumn, TableIndex } from '../fixture/tables.mjs'
 */

/** @type {Contender} */
export const mikroOrm = {
  name: 'mikro-orm',
  title: 'MikroORM `getUpdateSchemaSQL()`',
  upTo: 1_000,
  async open({ url, schema, tables }) {
    const { EntitySchema, MikroORM } = await loadPeer('@mikro-orm/postgresql');
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: tables.map((table) => new EntitySchema(toEntity(table, tables))),
      discovery: { warnWhenNoEntities: false },
    });
    return {
      run: async () => {
        const sql = await orm.schema.getUpdateSchemaSQL({ schema, wrap: false });
        return { differences: sql.split('\n').filter((line) => line !== '').length };
      },
      close: () => orm.close(),
    };
  },
};

/**
 * @param {FixtureTable} table
 * @param {readonly FixtureTable[]} tables
 */
function toEntity(table, tables) {
  return {
    name: table.name,
    tableName: table.name,
    properties: Object.fromEntries(
      table.columns.map((column) => [column.name, toProperty(column, table, tables)]),
    ),
    indexes: table.indexes.filter(({ unique }) => !unique).map(toIndex),
    // A unique index is compared as such; a unique constraint is something else.
    uniques: table.indexes.filter(({ unique }) => unique).map(toIndex),
  };
}

/** @param {TableIndex} index */
function toIndex({ name, columns }) {
  return { name, properties: columns };
}

/**
 * @param {TableColumn} column
 * @param {FixtureTable} table
 * @param {readonly FixtureTable[]} tables
 * @returns {object}
 */
function toProperty(column, table, tables) {
  const { name, type, length, notNull, default: value } = column;
  if (type === 'serial') return { type: 'integer', primary: true, autoincrement: true };
  const reference = referenceOf(column, table);
  if (reference) {
    return {
      kind: 'm:1',
      entity: () => tables[reference.table]?.name,
      fieldName: name,
      foreignKeyName: reference.name,
      nullable: !notNull,
      deleteRule: 'no action',
      updateRule: 'no action',
    };
  }
  return {
    type: 'unknown',
    columnType: columnType(type, length),
    fieldName: name,
    nullable: !notNull,
    ...(value === undefined ? {} : { defaultRaw: defaultOf(value) }),
  };
}

/**
 * @param {TableColumn['type']} type
 * @param {number | undefined} length
 */
function columnType(type, length) {
  if (type === 'varchar') return `varchar(${length})`;
  if (type === 'numeric') return `numeric(${PRECISION},${SCALE})`;
  return type;
}

/** @param {NonNullable<TableColumn['default']>} value */
function defaultOf(value) {
  if (typeof value === 'object') return value.sql;
  return typeof value === 'string' ? `'${value}'` : `${value}`;
}
