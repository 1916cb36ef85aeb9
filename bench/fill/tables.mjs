// The bookings, with a column that is there but empty: what is measured is the filling of it, nothing else.
import { EntitySchema } from 'typeorm';
import { createBookings } from '../load/tables.mjs';

/** Over the row's own columns, and other for each row. */
export const EXPRESSION = `upper(code) || '/' || account_id`;

/** @param {number} rows of `booking` */
export function createUnfilled(rows) {
  return [...createBookings(rows), 'alter table booking add column reference varchar(60)'];
}

/** What the entities ask for; how `reference` is filled is said in `fillers.mjs`. */
export const WANTED = [
  new EntitySchema({
    name: 'booking',
    columns: {
      id: { type: 'bigint', primary: true, generated: 'increment', primaryKeyConstraintName: 'booking_pkey' },
      code: { type: 'varchar', length: 40 },
      account_id: { type: 'integer' },
      status: { type: 'varchar', length: 20, nullable: true },
      amount: { type: 'numeric', precision: 12, scale: 2 },
      note: { type: 'varchar', length: 100, nullable: true },
      created_at: { type: 'timestamptz', default: () => 'now()' },
      updated_at: { type: 'timestamptz', default: () => 'now()' },
      reference: { type: 'varchar', length: 60, nullable: true },
    },
  }),
];
