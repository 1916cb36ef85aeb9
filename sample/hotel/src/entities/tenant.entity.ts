import { Backfill } from 'nestjs-auto-migration';
import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** A hotel. */
@Entity('tenants')
export class Tenant {
  @PrimaryColumn('varchar', { length: 50 })
  id!: string;

  @Column('varchar', { length: 255 })
  name!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamp' })
  createdAt!: Date;

  @Backfill('name')
  @Column('varchar', { name: 'hotel_name', length: 255, nullable: true })
  hotelName!: string | null;

  @Backfill('id')
  @Index('idx_tenants_subdomain', { unique: true })
  @Column('varchar', { length: 50, nullable: true })
  subdomain!: string | null;

  @Column('varchar', { name: 'subscription_plan', length: 50, nullable: true, default: 'trial' })
  subscriptionPlan!: string | null;

  @Column('varchar', { name: 'subscription_status', length: 50, nullable: true, default: 'active' })
  subscriptionStatus!: string | null;

  @Column('timestamp', { name: 'trial_ends_at', nullable: true })
  trialEndsAt!: Date | null;

  @Column('integer', { name: 'max_voices', nullable: true, default: 5 })
  maxVoices!: number | null;

  @Column('integer', { name: 'max_languages', nullable: true, default: 4 })
  maxLanguages!: number | null;

  @Column('boolean', { name: 'voice_cloning', nullable: true, default: false })
  voiceCloning!: boolean | null;

  @Column('boolean', { name: 'multi_location', nullable: true, default: false })
  multiLocation!: boolean | null;

  @Column('boolean', { name: 'white_label', nullable: true, default: false })
  whiteLabel!: boolean | null;

  @Column('integer', { name: 'data_retention_days', nullable: true, default: 90 })
  dataRetentionDays!: number | null;

  @Column('integer', { name: 'monthly_call_limit', nullable: true, default: 5000 })
  monthlyCallLimit!: number | null;
}
