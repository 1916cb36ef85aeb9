import { EntitySchema } from 'typeorm';

/** A table with rows, on which nearly everything is missing that the entities ask for. */
export const BEFORE = `
  create table guest (
    id integer primary key, name varchar(20), age smallint, city text default 'Graz', since date not null);
  insert into guest values (1, 'Ada', 36, 'London', '2026-01-01'), (2, 'Bob', 40, null, '2026-01-02');
  comment on column guest.city is 'where they live'`;

const guest = (changes: object = {}): EntitySchema =>
  new EntitySchema({
    name: 'guest',
    columns: {
      id: { type: 'integer', primary: true, primaryKeyConstraintName: 'guest_pkey' },
      // Wider, and never NULL.
      name: { type: 'character varying', length: 40 },
      age: { type: 'smallint', nullable: true },
      city: { type: 'text', nullable: true, default: 'Wien', comment: 'where they sleep' },
      since: { type: 'date', nullable: true },
      note: { type: 'text', nullable: true, comment: 'for the desk' },
      stars: { type: 'integer', default: 3 },
      ...changes,
    },
    indices: [{ name: 'guest_city', columns: ['city'] }],
    uniques: [{ name: 'guest_name', columns: ['name'] }],
    checks: [{ name: 'guest_age', expression: 'age > 17' }],
  });

const stay = new EntitySchema({
  name: 'stay',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'stay_pkey' },
    guestId: {
      type: 'integer',
      name: 'guest_id',
      foreignKey: { target: 'guest', name: 'stay_guest' },
    },
  },
  indices: [{ name: 'stay_guest_id', columns: ['guestId'] }],
});

export const ENTITIES = [guest(), stay];

/** Another wish for the one column. */
export const LATER = [guest({ stars: { type: 'integer', default: 4 } }), stay];
