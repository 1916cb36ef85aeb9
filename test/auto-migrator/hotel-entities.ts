import type { BackfillDeclaration } from '../../src/desired/backfill-options.js';
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';

const id: EntitySchemaColumnOptions = { type: 'integer', primary: true, generated: 'increment' };
const createdAt: EntitySchemaColumnOptions = { type: 'timestamp', createDate: true };

function text(length: number, more: Partial<EntitySchemaColumnOptions> = {}): EntitySchemaColumnOptions {
  return { type: 'varchar', length, ...more };
}

function optional(
  type: 'text' | 'integer' | 'smallint' | 'boolean' | 'timestamp',
  value?: string | number | boolean,
): EntitySchemaColumnOptions {
  return { type, nullable: true, ...(value === undefined ? {} : { default: value }) };
}

const nullable = { nullable: true };

const tenants = new EntitySchema({
  name: 'tenants',
  columns: {
    id: text(50, { primary: true }),
    name: text(255),
    created_at: createdAt,
    hotel_name: text(255, nullable),
    subdomain: text(50, nullable),
    subscription_plan: text(50, { ...nullable, default: 'trial' }),
    subscription_status: text(50, { ...nullable, default: 'active' }),
    trial_ends_at: optional('timestamp'),
    max_voices: optional('integer', 5),
    max_languages: optional('integer', 4),
    voice_cloning: optional('boolean', false),
    multi_location: optional('boolean', false),
    white_label: optional('boolean', false),
    data_retention_days: optional('integer', 90),
    monthly_call_limit: optional('integer', 5000),
  },
  indices: [{ name: 'idx_tenants_subdomain', columns: ['subdomain'], unique: true }],
});

const staff = new EntitySchema({
  name: 'staff',
  columns: {
    id,
    tenant_id: text(50, nullable),
    username: text(255),
    password: text(255),
    role: text(50, { default: 'front-desk' }),
    created_at: createdAt,
    first_name: text(255, nullable),
    last_name: text(255, nullable),
    display_name: text(255, nullable),
    avatar_url: optional('text'),
    permissions: optional('text', '[]'),
    is_active: optional('boolean', true),
    last_login: optional('timestamp'),
  },
  indices: [
    { name: 'idx_staff_tenant_id', columns: ['tenant_id'] },
    { name: 'idx_staff_username', columns: ['username'] },
  ],
});

const call = new EntitySchema({
  name: 'call',
  columns: {
    id,
    tenant_id: text(50, nullable),
    call_id_vapi: text(255),
    room_number: text(20, nullable),
    language: text(10, nullable),
    duration: optional('integer'),
    start_time: optional('timestamp'),
    end_time: optional('timestamp'),
    satisfaction: optional('smallint'),
  },
  checks: [{ name: 'call_satisfaction_check', expression: 'satisfaction between 1 and 5' }],
  indices: [
    { name: 'idx_call_tenant_id', columns: ['tenant_id'] },
    { name: 'idx_call_start_time', columns: ['start_time'] },
  ],
});

const request = new EntitySchema<Record<string, unknown>>({
  name: 'request',
  columns: {
    id,
    tenant_id: text(50, nullable),
    call_id: optional('integer'),
    room_number: text(20, nullable),
    content: { type: 'text' },
    status: text(20, { default: 'pending' }),
    created_at: createdAt,
  },
  relations: {
    tenant: { type: 'many-to-one', target: 'tenants', joinColumn: { name: 'tenant_id' } },
    call: { type: 'many-to-one', target: 'call', joinColumn: { name: 'call_id' } },
  },
  indices: [
    { name: 'idx_request_tenant_id', columns: ['tenant_id'] },
    { name: 'idx_request_status', columns: ['status'] },
  ],
});

const message = new EntitySchema<Record<string, unknown>>({
  name: 'message',
  columns: {
    id,
    request_id: { type: 'integer' },
    tenant_id: text(50, nullable),
    sender: text(20),
    body: { type: 'text' },
    created_at: { type: 'timestamptz', createDate: true },
  },
  relations: { request: { type: 'many-to-one', target: 'request', joinColumn: { name: 'request_id' } } },
  indices: [{ name: 'idx_message_request_id', columns: ['request_id'] }],
});

/** What the hotel's new release wants, declared by schema; the sample declares the same by decorators. */
export const HOTEL = [tenants, staff, call, request, message];

/** What the new columns of the rows that are there get. */
export const HOTEL_BACKFILLS: BackfillDeclaration[] = [
  { table: 'staff', column: 'first_name', expression: `split_part(username, '.', 1)` },
  {
    table: 'staff',
    column: 'last_name',
    expression: `substr(username, length(split_part(username, '.', 1)) + 2)`,
  },
  { table: 'public.staff', column: 'display_name', expression: 'username' },
  { table: 'tenants', column: 'hotel_name', expression: 'name' },
  { table: 'tenants', column: 'subdomain', expression: 'id' },
];
