import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { expect, test } from 'vitest';
import { AutoMigrator } from '../../src/auto-migrator.js';
import { RenamedFrom } from '../../src/desired/renamed-from.js';
import { openDataSource } from '../auto-migrator/open-data-source.js';
import { createTestDatabase } from '../setup/database.js';

@Entity('room')
@RenamedFrom('chambre')
class Room {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'room_pkey' })
  id!: string;
}

@Entity('stay')
class Stay {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'stay_pkey' })
  id!: number;

  @ManyToOne(() => Room)
  @JoinColumn({ name: 'room_id', foreignKeyConstraintName: 'stay_room' })
  room!: Relation<Room>;
}

@Entity('bill')
class Bill {
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'bill_pkey' })
  id!: number;

  @RenamedFrom('gast')
  @Column('bigint', { name: 'guest', nullable: true })
  guest!: string;

  @ManyToOne(() => Guest)
  @JoinColumn({ name: 'guest', foreignKeyConstraintName: 'bill_guest' })
  of!: Relation<Guest>;
}

@Entity('guest')
class Guest {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'guest_pkey' })
  id!: string;
}

test.each([
  [
    'what points to a table that is renamed',
    `create table chambre (id integer constraint room_pkey primary key);
     create table stay (id integer constraint stay_pkey primary key, room_id bigint constraint stay_room references chambre)`,
    [Room, Stay],
    'public.room.id',
    'stay',
  ],
  [
    'what a renamed column points to',
    `create table guest (id bigint constraint guest_pkey primary key);
     create table bill (id integer constraint bill_pkey primary key, gast integer constraint bill_guest references guest)`,
    [Guest, Bill],
    'public.bill.guest',
    'guest',
  ],
] as const)('a wider type locks %s', async (_title, legacy, entities, object, other) => {
  const database = await createTestDatabase();
  await database.query(legacy);
  await database.query(`insert into ${other} select g from generate_series(1, 60000) g; analyze`);
  const migrator = new AutoMigrator(await openDataSource(database.url, [...entities]), {
    execution: 'online',
    smallTableBytes: 200_000,
  });
  const { plan } = await migrator.plan();
  const all = [...(plan?.units ?? []), ...(plan?.openUnits ?? [])];
  const change = all.filter(({ drift }) => drift.object === object && drift.kind === 'different-type');
  expect(change.flatMap(({ steps }) => steps.flatMap(({ alsoLocks }) => alsoLocks))).toEqual([
    { schema: 'public', name: other },
  ]);
  // The foreign key is looked at anew, row by row, with both tables locked.
  expect(change[0]?.drift.reason).toContain(`public.${other}`);
});
