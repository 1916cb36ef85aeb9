import type { EntitySchemaOptions } from 'typeorm';
import { PARTITIONED } from './partitioned-table.js';

/** A change that takes several units, so that a run can die between them. */
export interface CutCase {
  readonly title: string;
  /** `$table` stands for the table's name. */
  readonly legacy: string;
  readonly entity: Partial<EntitySchemaOptions<Record<string, unknown>>>;
  /** How many units it takes. */
  readonly units: number;
}

const id = { type: 'integer', primary: true } as const;
const code = { type: 'text', nullable: true } as const;
const table = `create table $table (id integer primary key, code text);
  insert into $table select g, g from generate_series(1, 20) g;`;

export const CUT_CASES: CutCase[] = [
  {
    title: 'a unique',
    legacy: table,
    entity: { columns: { id, code }, uniques: [{ name: '$table_code', columns: ['code'] }] },
    units: 2,
  },
  {
    title: 'a unique that replaces another',
    legacy: `${table} alter table $table add constraint $table_code unique (code, id)`,
    entity: { columns: { id, code }, uniques: [{ name: '$table_code', columns: ['code'] }] },
    units: 2,
  },
  {
    title: 'a primary key of a column that may be NULL',
    legacy: 'create table $table (id integer); insert into $table values (1), (2)',
    entity: { columns: { id } },
    units: 5,
  },
  {
    title: 'an index that replaces another',
    legacy: `${table} create index $table_code on $table (id)`,
    entity: { columns: { id, code }, indices: [{ name: '$table_code', columns: ['code'] }] },
    units: 3,
  },
  {
    title: 'an index of a partitioned table',
    legacy: PARTITIONED.legacy,
    entity: { columns: PARTITIONED.columns, indices: [{ name: '$table_code', columns: ['code'] }] },
    units: 9,
  },
  {
    title: 'a unique of a partitioned table',
    legacy: PARTITIONED.legacy,
    entity: { columns: PARTITIONED.columns, uniques: [{ name: '$table_code', columns: ['code', 'day'] }] },
    units: 9,
  },
];
