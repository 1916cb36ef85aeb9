import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Call } from './call.entity.js';
import { Message } from './message.entity.js';
import { Tenant } from './tenant.entity.js';

/** What a guest asked for. */
@Entity('request')
export class Request {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index('idx_request_tenant_id')
  @Column('varchar', { name: 'tenant_id', length: 50, nullable: true })
  tenantId!: string | null;

  @ManyToOne(() => Tenant)
  @JoinColumn({ name: 'tenant_id' })
  tenant!: Relation<Tenant> | null;

  @Column('integer', { name: 'call_id', nullable: true })
  callId!: number | null;

  @ManyToOne(() => Call)
  @JoinColumn({ name: 'call_id' })
  call!: Relation<Call> | null;

  @Column('varchar', { name: 'room_number', length: 20, nullable: true })
  roomNumber!: string | null;

  @Column('text')
  content!: string;

  @Index('idx_request_status')
  @Column('varchar', { length: 20, default: 'pending' })
  status!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamp' })
  createdAt!: Date;

  @OneToMany(() => Message, (message) => message.request)
  messages!: Relation<Message>[];
}
