import { EntitySchema } from 'typeorm';

/** What the entities ask for; the cases add to the database what they do not. */
export const room = new EntitySchema({
  name: 'room',
  columns: {
    id: { type: 'integer', primary: true, primaryKeyConstraintName: 'room_pkey' },
    code: { type: 'character varying', length: 5 },
    floor: { type: 'integer', nullable: true },
  },
});

export const hall = new EntitySchema({
  name: 'hall',
  columns: { id: { type: 'integer', primary: true, primaryKeyConstraintName: 'hall_pkey' } },
});

export const ROOM = `create table room (id integer primary key, code varchar(5) not null, floor integer);
  create table hall (id integer primary key);
  insert into room values (1, 'A1', 1), (2, 'A2', null); insert into hall values (1), (2)`;
