/** A table with a partition and one that is partitioned itself, with rows in each, and the entity's columns. */
export const PARTITIONED = {
  legacy: `create table $table (id integer not null, day integer not null, code text,
      constraint $table_pkey primary key (id, day)) partition by range (day);
    create table $table_1 partition of $table for values from (0) to (10);
    create table $table_2 partition of $table for values from (10) to (30) partition by range (day);
    create table $table_2_1 partition of $table_2 for values from (10) to (20);
    create table $table_2_2 partition of $table_2 for values from (20) to (30);
    insert into $table select g, g, g from generate_series(0, 29) g`,
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: '$table_pkey' },
    day: { type: 'integer', primary: true, primaryKeyConstraintName: '$table_pkey' },
    code: { type: 'text', nullable: true },
  },
} as const;
