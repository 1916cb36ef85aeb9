import { Backfill } from 'nestjs-auto-migration';
import { Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Who works at a hotel and logs in. */
@Entity('staff')
export class Staff {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index('idx_staff_tenant_id')
  @Column('varchar', { name: 'tenant_id', length: 50, nullable: true })
  tenantId!: string | null;

  @Index('idx_staff_username')
  @Column('varchar', { length: 255 })
  username!: string;

  @Column('varchar', { length: 255, select: false })
  password!: string;

  @Column('varchar', { length: 50, default: 'front-desk' })
  role!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamp' })
  createdAt!: Date;

  @Backfill(`split_part(username, '.', 1)`)
  @Column('varchar', { name: 'first_name', length: 255, nullable: true })
  firstName!: string | null;

  @Backfill(`substr(username, length(split_part(username, '.', 1)) + 2)`)
  @Column('varchar', { name: 'last_name', length: 255, nullable: true })
  lastName!: string | null;

  @Backfill('username')
  @Column('varchar', { name: 'display_name', length: 255, nullable: true })
  displayName!: string | null;

  @Column('text', { name: 'avatar_url', nullable: true })
  avatarUrl!: string | null;

  @Column('text', { nullable: true, default: '[]' })
  permissions!: string | null;

  @Column('boolean', { name: 'is_active', nullable: true, default: true })
  isActive!: boolean | null;

  @Column('timestamp', { name: 'last_login', nullable: true })
  lastLogin!: Date | null;
}
