// The tables of an application that takes bookings: as they are before, and as its entities want them.
import { EntitySchema } from 'typeorm';

/** @import { EntitySchemaOptions } from 'typeorm' */

/** Bookings of one account. */
const BOOKINGS_AN_ACCOUNT = 100;

/**
 * What makes the tables and fills them; ids run from 1 without a gap. No row stands in the way of what is wanted.
 * @param {number} rows of `booking`
 */
export function createBookings(rows) {
  const accounts = Math.ceil(rows / BOOKINGS_AN_ACCOUNT);
  return [
    `create table account (id integer constraint account_pkey primary key, name varchar(100) not null)`,
    `create table booking (
       id bigserial constraint booking_pkey primary key,
       code varchar(40) not null,
       account_id integer not null,
       status varchar(20),
       amount numeric(12,2) not null,
       note varchar(100),
       created_at timestamptz not null default now(),
       updated_at timestamptz not null default now())`,
    `insert into account select n, 'account ' || n from generate_series(1, ${accounts}) n`,
    `insert into booking (code, account_id, status, amount, note, created_at)
     select 'B' || n, 1 + n % ${accounts}, (array['new', 'paid', 'closed'])[1 + n % 3], n % 1000,
       'arrives late, booking ' || n, timestamptz '2024-01-01' + n * interval '1 second'
     from generate_series(1, ${rows}) n`,
    'vacuum (analyze)',
    'checkpoint',
  ];
}

const ACCOUNT = new EntitySchema({
  name: 'account',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'account_pkey' },
    name: { type: 'varchar', length: 100 },
  },
});

/** @type {EntitySchemaOptions<Record<string, unknown>>} */
const BOOKING = {
  name: 'booking',
  columns: {
    // Added, with one value for all rows, and with one of its own for each.
    channel: { type: 'varchar', length: 20, default: 'web' },
    // (TypeORM itself never rests about gen_random_uuid().)
    received_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    // NOT NULL; no row has NULL.
    status: { type: 'varchar', length: 20 },
    // 100 before.
    note: { type: 'varchar', length: 400, nullable: true },
    id: { type: 'bigint', primary: true, generated: 'increment', primaryKeyConstraintName: 'booking_pkey' },
    code: { type: 'varchar', length: 40 },
    account_id: { type: 'integer' },
    amount: { type: 'numeric', precision: 12, scale: 2 },
    created_at: { type: 'timestamptz', default: () => 'now()' },
    updated_at: { type: 'timestamptz', default: () => 'now()' },
  },
  relations: {
    account: {
      type: 'many-to-one',
      target: 'account',
      nullable: false,
      joinColumn: { name: 'account_id', foreignKeyConstraintName: 'booking_account' },
    },
  },
  indices: [
    { name: 'booking_account_id', columns: ['account_id'] },
    { name: 'booking_created', columns: ['created_at'] },
    { name: 'booking_status', columns: ['status', 'created_at'] },
  ],
  uniques: [{ name: 'booking_code', columns: ['code'] }],
  checks: [{ name: 'booking_amount', expression: 'amount >= 0' }],
};

/** The entities that the tables are to be healed to. */
export const WANTED = [ACCOUNT, new EntitySchema(BOOKING)];
