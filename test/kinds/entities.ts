import {
  Check,
  Column,
  Entity,
  EntitySchema,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  Unique,
  type Relation,
} from 'typeorm';

// By decorators, because TypeORM's EntitySchema has no word for the kind of an identity or a table's comment.
@Entity('room')
@Check('room_floor_check', 'floor >= 0')
@Unique('room_code_unique', ['code'])
@Index('room_upper', ['floor'], { where: 'floor > 3' })
class Room {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 20, collation: 'C' })
  code!: string;

  @Column('smallint', { nullable: true, default: 1 })
  floor!: number | null;

  @Column('varchar', { length: 40, comment: 'shown on the door' })
  label!: string;

  @Column({ type: 'enum', enum: ['free', 'taken'], enumName: 'room_state', default: 'free' })
  state!: string;

  @Column({ type: 'integer', generatedType: 'STORED', asExpression: '4 * 5' })
  area!: number;

  @Index('room_seen')
  @Column('timestamptz', { nullable: true })
  seen!: Date | null;
}

@Entity('booking', { comment: 'who sleeps where' })
class Booking {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column('integer', { name: 'room_id', nullable: true })
  roomId!: number | null;

  @ManyToOne(() => Room, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'room_id', foreignKeyConstraintName: 'booking_room' })
  room!: Relation<Room> | null;
}

const freeRoom = new EntitySchema({
  name: 'free_room',
  type: 'view',
  expression: `select id, code from room where state = 'free'`,
  columns: { id: { type: 'integer' }, code: { type: 'varchar' } },
});

const audit = new EntitySchema({
  name: 'audit',
  schema: 'side',
  columns: { id: { type: 'integer', primary: true }, note: { type: 'text', nullable: true } },
});

const pair = new EntitySchema({
  name: 'pair',
  schema: 'side',
  columns: {
    a: { type: 'integer', primary: true, primaryKeyConstraintName: 'pair_key' },
    b: { type: 'integer', primary: true, primaryKeyConstraintName: 'pair_key' },
    c: { type: 'varchar', nullable: true },
    d: { type: 'text', default: 'd' },
  },
  uniques: [{ name: 'pair_unique', columns: ['b', 'a'] }],
});

/** One entity set that has something of each kind of object, so that each kind of drift can be made in it. */
export const entities: (EntitySchema | (new () => object))[] = [Room, Booking, freeRoom, audit, pair];
