import { EntitySchema, ViewEntity } from 'typeorm';

// Plain JavaScript, so that the tests and the processes that they kill share it without a build.

/**
 * @import { EntitySchemaColumnOptions, EntitySchemaOptions } from 'typeorm'
 * @typedef {Partial<Omit<EntitySchemaOptions<Record<string, unknown>>, 'name'>>} Entity
 */

/**
 * One kind of change, in tables of its own.
 *
 * @typedef {object} FaultCase
 * @property {string} kind
 * @property {string} table its name begins the names of all that the case has, and of nothing else
 * @property {string} [legacy] SQL with `$table` for the name, and `$large (…)` for a table that is larger than small ones
 * @property {Entity} entity `$table` stands for the name in it, too
 * @property {{ name: string, expression: string, materialized?: boolean }[]} [views] that entities ask for
 * @property {boolean} [isApproved] whether somebody approves what only the database has, and what would lose values
 * @property {string[]} [volatile] columns whose values differ from row to row and from run to run
 */

/** In bytes: the tables made by `$large` are above, the others below. */
export const SMALL_TABLE_BYTES = 65_536;

export const ROWS = 40;

const text = /** @type {const} */ ({ type: 'text', nullable: true });
const id = /** @type {EntitySchemaColumnOptions} */ ({
  type: 'integer',
  primary: true,
  primaryKeyConstraintName: '$table_pkey',
});
const columns = { id, code: text };

/** A row a page: 40 pages are more than a small table may have. */
const large =
  'create table $table (id integer constraint $table_pkey primary key, code text) with (fillfactor = 10)';
const rows = `insert into $table (id, code) select g, g from generate_series(1, ${ROWS}) g`;
const wide = `alter table $table add padding text; alter table $table alter padding set storage plain;
  update $table set padding = repeat('x', 5000)`;
const padded = { ...columns, padding: text };
const legacy = `${large}; ${rows}; ${wide}`;
const small = `create table $table (id integer constraint $table_pkey primary key, code text); ${rows}`;
const partitioned = `create table $table (id integer not null, day integer not null, code text,
    constraint $table_pkey primary key (id, day)) partition by range (day);
  create table $table_1 partition of $table for values from (0) to (10);
  create table $table_2 partition of $table for values from (10) to (30) partition by range (day);
  create table $table_2_1 partition of $table_2 for values from (10) to (20);
  create table $table_2_2 partition of $table_2 for values from (20) to (30);
  insert into $table select g, g % 30, g from generate_series(0, 59) g; ${wide}`;
const ofPartitioned = { id, day: id, code: text, padding: text };

/** @type {FaultCase[]} */
export const FAULT_CASES = [
  {
    kind: 'migrations',
    table: 'migrated',
    legacy: 'create table $table (id integer constraint $table_pkey primary key)',
    entity: { columns },
  },
  {
    kind: 'a rename of a table and a column',
    table: 'renamed',
    legacy: `create table renamed_before (id integer constraint renamed_before_pkey primary key, label text);
      insert into renamed_before select g, g from generate_series(1, ${ROWS}) g`,
    entity: { columns: { id: { ...id, primaryKeyConstraintName: 'renamed_before_pkey' }, code: text } },
  },
  {
    kind: 'a new table in a new schema',
    table: 'created',
    entity: {
      schema: 'annex',
      columns: { id, kind: { type: 'enum', enum: ['one', 'two'], enumName: '$table_kind' }, code: text },
      indices: [{ name: '$table_code', columns: ['code'] }],
    },
  },
  {
    kind: 'a new column with a constant default',
    table: 'added',
    legacy: small,
    entity: { columns: { ...columns, mood: { type: 'text', default: 'calm', comment: 'of the day' } } },
  },
  {
    kind: 'an index',
    table: 'indexed',
    legacy,
    entity: { columns: padded, indices: [{ name: '$table_code', columns: ['code'] }] },
  },
  {
    kind: 'an index that replaces another',
    table: 'reindexed',
    legacy: `${legacy}; create index $table_code on $table (id)`,
    entity: { columns: padded, indices: [{ name: '$table_code', columns: ['code'] }] },
  },
  {
    kind: 'indexes that were left behind',
    table: 'littered',
    legacy: `${legacy}; create index $table_code on $table (code); create index $table_code_ccnew on $table (code);
      create index $table_both on $table (code, id); create index auto_migration_index_0123456789ab on $table (id, code);
      update pg_index set indisvalid = false where indexrelid in ('$table_both'::regclass, '$table_code_ccnew'::regclass)`,
    entity: {
      columns: padded,
      indices: [
        { name: '$table_code', columns: ['code'] },
        { name: '$table_both', columns: ['code', 'id'] },
      ],
    },
  },
  {
    kind: 'a unique USING INDEX',
    table: 'unique_one',
    legacy,
    entity: { columns: padded, uniques: [{ name: '$table_code', columns: ['code'] }] },
  },
  {
    kind: 'a unique that replaces another',
    table: 'unique_two',
    legacy: `${legacy}; alter table $table add constraint $table_code unique (code, id)`,
    entity: { columns: padded, uniques: [{ name: '$table_code', columns: ['code'] }] },
  },
  {
    kind: 'a primary key of a column that may be NULL',
    table: 'keyed',
    legacy: `create table $table (id integer, code text); ${rows}; ${wide}`,
    entity: { columns: padded },
  },
  {
    kind: 'a foreign key NOT VALID, then VALIDATE',
    table: 'linked',
    legacy: `create table linked_to (id integer constraint linked_to_pkey primary key);
      insert into linked_to select g from generate_series(1, ${ROWS}) g;
      ${legacy}; alter table $table add to_id integer; update $table set to_id = id`,
    entity: {
      columns: padded,
      relations: {
        to: {
          type: 'many-to-one',
          target: 'linked_to',
          joinColumn: { name: 'to_id', foreignKeyConstraintName: '$table_to' },
        },
      },
    },
  },
  {
    kind: 'a check NOT VALID, then VALIDATE',
    table: 'checked',
    legacy,
    entity: { columns: padded, checks: [{ name: '$table_id', expression: 'id > 0' }] },
  },
  {
    kind: 'NOT NULL by a check',
    table: 'required',
    legacy,
    entity: { columns: { ...padded, code: { type: 'text' } } },
  },
  {
    kind: 'a volatile default',
    table: 'defaulted',
    legacy,
    entity: { columns: { ...padded, at: { type: 'timestamptz', default: () => 'clock_timestamp()' } } },
    volatile: ['at'],
  },
  {
    kind: 'a serial',
    table: 'counted',
    legacy,
    entity: { columns: { ...padded, number: { type: 'integer', generated: 'increment' } } },
    volatile: ['number'],
  },
  {
    kind: 'an identity',
    table: 'numbered',
    legacy,
    // EntitySchema takes it, though its types do not say so.
    entity: {
      columns: { ...padded, number: { type: 'bigint', generated: /** @type {'increment'} */ ('identity') } },
    },
    volatile: ['number'],
  },
  {
    kind: 'a backfill in batches',
    table: 'filled',
    legacy: `${legacy}; create table filled_log (id integer);
      create function filled_touch() returns trigger language plpgsql as $$ begin
        insert into public.filled_log values (new.id); return new; end $$;
      create trigger filled_touch before update on $table for each row execute function filled_touch()`,
    entity: { columns: { ...padded, nick: { type: 'text' } } },
  },
  {
    kind: 'enum values',
    table: 'moods',
    legacy: `create type $table_kind as enum ('two');
      create table $table (id integer constraint $table_pkey primary key, kind $table_kind not null default 'two');
      insert into $table select g from generate_series(1, ${ROWS}) g`,
    entity: {
      columns: {
        id,
        kind: { type: 'enum', enum: ['one', 'two', 'three'], enumName: '$table_kind', default: 'three' },
      },
    },
  },
  {
    kind: 'a type widened in place',
    table: 'widened',
    legacy: `${legacy}; alter table $table alter code type varchar(10)`,
    entity: { columns: { ...padded, code: { type: 'varchar', length: 20, nullable: true } } },
  },
  {
    kind: 'a type widened by a rewrite',
    table: 'rewritten',
    legacy: `${small}; alter table $table alter code type integer using code::integer`,
    entity: { columns: { id, code: { type: 'bigint', nullable: true } } },
  },
  {
    kind: 'views made anew above a wider type',
    table: 'viewed',
    legacy: `${small}; alter table $table alter code type varchar(10);
      create view $table_v as select id, code from $table; grant select on $table_v to public;
      comment on view $table_v is 'kept'; create materialized view $table_w as select id, code from $table_v`,
    entity: { columns: { id, code: { type: 'varchar', length: 20, nullable: true } } },
    views: [
      { name: '$table_v', expression: 'select id, code from $table' },
      { name: '$table_w', expression: 'select id, code from $table_v', materialized: true },
    ],
  },
  {
    kind: 'an index of a partitioned table',
    table: 'parted',
    legacy: partitioned,
    entity: { columns: ofPartitioned, indices: [{ name: '$table_code', columns: ['code'] }] },
  },
  {
    kind: 'a unique of a partitioned table',
    table: 'unique_part',
    legacy: partitioned,
    entity: { columns: ofPartitioned, uniques: [{ name: '$table_code', columns: ['code', 'day'] }] },
  },
  {
    kind: 'NULL allowed, a default, a comment, a name',
    table: 'loosened',
    legacy: `${small}; alter table $table alter code set not null; create index $table_by_hand on $table (code)`,
    entity: {
      columns: { id, code: { ...text, default: 'none', comment: 'why' } },
      indices: [{ name: '$table_code', columns: ['code'] }],
    },
  },
  {
    kind: 'a sequence behind its column',
    table: 'behind',
    legacy: `create table $table (id integer generated by default as identity constraint $table_pkey primary key);
      insert into $table select g from generate_series(1, ${ROWS}) g`,
    entity: { columns: { id: { ...id, generated: /** @type {'increment'} */ ('identity') } } },
  },
  {
    kind: 'approved drops',
    table: 'dropped',
    legacy: `create table dropped_to (id integer constraint dropped_to_pkey primary key);
      insert into dropped_to select g from generate_series(1, ${ROWS}) g;
      ${legacy}; alter table $table add to_id integer constraint $table_to references dropped_to,
        add gone text default 'x', add size text, add constraint $table_id check (id > 0);
      update $table set to_id = id, size = id || '0';
      create index $table_code on $table (code); create materialized view $table_v as select 1 as one;
      create table $table_whole (id integer); insert into $table_whole values (1)`,
    entity: {
      columns: {
        ...padded,
        to_id: { type: 'integer', nullable: true },
        size: { type: 'integer', nullable: true },
      },
    },
    isApproved: true,
  },
  {
    kind: 'data fixes',
    table: 'fixed',
    legacy: small,
    entity: { columns },
  },
].map((each) => /** @type {FaultCase} */ (named(each, each.table)));

/**
 * Everything in it with the table's name in its place.
 *
 * @param {unknown} value
 * @param {string} table
 * @returns {unknown}
 */
function named(value, table) {
  if (typeof value === 'string') return value.replaceAll('$table', table);
  if (Array.isArray(value)) return value.map((each) => named(each, table));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, named(each, table)]));
}

/**
 * The database that an earlier release has left.
 *
 * @param {readonly FaultCase[]} cases
 */
export function legacyOf(cases) {
  return cases.flatMap((each) => each.legacy ?? []).join(';\n');
}

const linkedTo = new EntitySchema({
  name: 'linked_to',
  columns: { id: { type: 'integer', primary: true, primaryKeyConstraintName: 'linked_to_pkey' } },
});

/**
 * @param {FaultCase} faultCase
 * @returns {(EntitySchema | (new () => object))[]}
 */
export function entitiesOf({ table, entity, views = [] }) {
  const options = /** @type {EntitySchemaOptions<Record<string, unknown>>} */ ({ ...entity, name: table });
  /** @type {(new () => object)[]} */
  const classes = [];
  for (const view of views) {
    // EntitySchema has no word for a materialized view.
    const View = class {
      /** @type {number | undefined} */
      id;
    };
    ViewEntity({ ...view, dependsOn: [...classes] })(View);
    classes.push(View);
  }
  return [new EntitySchema(options), ...classes, ...(table === 'linked' ? [linkedTo] : [])];
}
