import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Request } from './request.entity.js';

/** What guest and staff write to each other about a request. */
@Entity('message')
export class Message {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index('idx_message_request_id')
  @Column('integer', { name: 'request_id' })
  requestId!: number;

  @ManyToOne(() => Request, (request) => request.messages)
  @JoinColumn({ name: 'request_id' })
  request!: Relation<Request>;

  @Column('varchar', { name: 'tenant_id', length: 50, nullable: true })
  tenantId!: string | null;

  @Column('varchar', { length: 20 })
  sender!: string;

  @Column('text')
  body!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
