import type { EntitySchemaColumnOptions } from 'typeorm';
import type { BackfillOptions } from '../../src/desired/backfill-options.js';

/** A table with rows, and what its column `a` gets in them. `$table` stands for the table's name. */
export interface FillCase {
  readonly title: string;
  readonly legacy: string;
  /** Of the column `a`: text and nullable unless said otherwise. */
  readonly column?: Partial<EntitySchemaColumnOptions>;
  readonly expression: string;
  readonly options?: BackfillOptions;
  /** As `select a from … order by id` finds it. */
  readonly values: unknown[];
}

const id = 'id integer primary key';
const three = 'insert into $table (id, name) values (1, $$One$$), (2, null), (3, $$Three$$)';

export const FILL_CASES: FillCase[] = [
  {
    title: 'a new column',
    legacy: `create table $table (${id}, name text); ${three}`,
    expression: 'lower(name)',
    values: ['one', null, 'three'],
  },
  {
    title: 'a column that was there: its values stay',
    legacy: `create table $table (${id}, name text, a text); ${three}; update $table set a = 'kept' where id = 3`,
    expression: `coalesce(name, 'none')`,
    values: ['One', 'none', 'kept'],
  },
  {
    title: 'only some rows, and a comment at the end of each part',
    legacy: `create table $table (${id}, name text); ${three}`,
    expression: 'id::text -- the number',
    options: { where: 'id > 1 -- not the first' },
    values: [null, '2', '3'],
  },
  {
    title: 'NOT NULL, of another type',
    legacy: `create table $table (${id}, name text); ${three}`,
    column: { type: 'integer', nullable: false },
    expression: `length(coalesce(name, ''))`,
    values: [3, 0, 5],
  },
  {
    title: 'a column with a default, which is for new rows and for what the expression leaves',
    legacy: `create table $table (${id}, name text); ${three}`,
    column: { nullable: false, default: 'new' },
    expression: 'name',
    values: ['One', 'new', 'Three'],
  },
  {
    title: 'from another table, that is named as the application would',
    legacy: `create table $table (${id}, name text); ${three};
      create table $table_nick (id integer, nick text); insert into $table_nick values (1, 'Uno'), (3, 'Tre')`,
    expression: '(select n.nick from $table_nick n where n.id = $table.id)',
    values: ['Uno', null, 'Tre'],
  },
  {
    title: 'a key of several columns, of other types, in small batches',
    legacy: `create table $table (id integer, "At ""Noon""" timestamptz, name text, primary key (id, "At ""Noon"""));
      insert into $table select g, timestamptz '2026-01-01' + g % 2 * interval '1.5 s', g from generate_series(1, 7) g`,
    expression: `name || '!'`,
    options: { batchSize: 2 },
    values: ['1!', '2!', '3!', '4!', '5!', '6!', '7!'],
  },
  {
    title: 'no key: by where the rows lie',
    legacy: `create table $table (id integer, name text);
      insert into $table select g, repeat('x', 3000) from generate_series(1, 5) g; delete from $table where id = 2`,
    expression: 'id::text',
    options: { batchSize: 2 },
    values: ['1', '3', '4', '5'],
  },
  {
    title: 'a partitioned table, by its partitions',
    legacy: `create table $table (id integer, name text, primary key (id)) partition by range (id);
      create table $table_low partition of $table for values from (0) to (10);
      create table $table_high partition of $table for values from (10) to (20);
      insert into $table (id, name) values (1, 'a'), (2, 'b'), (11, 'c'), (12, 'd')`,
    expression: '$table.name || $table.id',
    options: { batchSize: 1 },
    values: ['a1', 'b2', 'c11', 'd12'],
  },
  {
    title: 'a unique column',
    legacy: `create table $table (${id}, name text); ${three}; alter table $table add a text unique`,
    column: { unique: true },
    expression: 'id::text',
    values: ['1', '2', '3'],
  },
  {
    title: 'an enum, from a text as one writes it',
    legacy: `create type $table_a_enum as enum ('on', 'off'); create table $table (${id}, name text); ${three}`,
    column: { type: 'enum', enum: ['on', 'off'] },
    expression: `'on'`,
    values: ['on', 'on', 'on'],
  },
];
