import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A guest's call with the voice assistant. */
@Entity('call')
@Check('call_satisfaction_check', 'satisfaction between 1 and 5')
export class Call {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index('idx_call_tenant_id')
  @Column('varchar', { name: 'tenant_id', length: 50, nullable: true })
  tenantId!: string | null;

  @Column('varchar', { name: 'call_id_vapi', length: 255 })
  callIdVapi!: string;

  @Column('varchar', { name: 'room_number', length: 20, nullable: true })
  roomNumber!: string | null;

  @Column('varchar', { length: 10, nullable: true })
  language!: string | null;

  /** In seconds. */
  @Column('integer', { nullable: true })
  duration!: number | null;

  @Index('idx_call_start_time')
  @Column('timestamp', { name: 'start_time', nullable: true })
  startTime!: Date | null;

  @Column('timestamp', { name: 'end_time', nullable: true })
  endTime!: Date | null;

  /** 1 (bad) to 5 (good). */
  @Column('smallint', { nullable: true })
  satisfaction!: number | null;
}
