import { EntitySchema } from 'typeorm';

/**
 * The hotel's release that wants more than its database has. Plain JavaScript, so that the tests and the processes that
 * they start share it without a build.
 */

/** @param {number} [length] */
const text = (length) =>
  length === undefined
    ? { type: /** @type {const} */ ('text') }
    : { type: /** @type {const} */ ('varchar'), length };

const optional = /** @type {const} */ ({ nullable: true });
const id = /** @type {const} */ ({ type: 'integer', primary: true, generated: 'increment' });
const createdAt = /** @type {const} */ ({ type: 'timestamp', name: 'created_at', default: () => 'now()' });

export const Tenant = new EntitySchema({
  name: 'Tenant',
  tableName: 'tenants',
  columns: {
    id: { ...text(50), primary: true },
    name: text(255),
    createdAt,
    hotelName: { ...text(255), ...optional, name: 'hotel_name' },
    subdomain: { ...text(50), ...optional },
    subscriptionPlan: { ...text(50), ...optional, name: 'subscription_plan', default: 'trial' },
    subscriptionStatus: { ...text(50), ...optional, name: 'subscription_status', default: 'active' },
    trialEndsAt: { type: 'timestamp', ...optional, name: 'trial_ends_at' },
    maxVoices: { type: 'integer', ...optional, name: 'max_voices', default: 5 },
    maxLanguages: { type: 'integer', ...optional, name: 'max_languages', default: 4 },
    voiceCloning: { type: 'boolean', ...optional, name: 'voice_cloning', default: false },
    multiLocation: { type: 'boolean', ...optional, name: 'multi_location', default: false },
    whiteLabel: { type: 'boolean', ...optional, name: 'white_label', default: false },
    dataRetentionDays: { type: 'integer', ...optional, name: 'data_retention_days', default: 90 },
    monthlyCallLimit: { type: 'integer', ...optional, name: 'monthly_call_limit', default: 5000 },
  },
  indices: [{ name: 'idx_tenants_subdomain', columns: ['subdomain'], unique: true }],
});

export const Staff = new EntitySchema({
  name: 'Staff',
  tableName: 'staff',
  columns: {
    id,
    tenantId: { ...text(50), ...optional, name: 'tenant_id' },
    username: text(255),
    password: text(255),
    role: { ...text(50), default: 'front-desk' },
    createdAt,
    firstName: { ...text(255), ...optional, name: 'first_name' },
    lastName: { ...text(255), ...optional, name: 'last_name' },
    displayName: { ...text(255), ...optional, name: 'display_name' },
    avatarUrl: { ...text(), ...optional, name: 'avatar_url' },
    permissions: { ...text(), ...optional, default: '[]' },
    isActive: { type: 'boolean', ...optional, name: 'is_active', default: true },
    lastLogin: { type: 'timestamp', ...optional, name: 'last_login' },
  },
  indices: [
    { name: 'idx_staff_tenant_id', columns: ['tenantId'] },
    { name: 'idx_staff_username', columns: ['username'] },
  ],
});

export const Call = new EntitySchema({
  name: 'Call',
  tableName: 'call',
  columns: {
    id,
    tenantId: { ...text(50), ...optional, name: 'tenant_id' },
    callIdVapi: { ...text(255), name: 'call_id_vapi' },
    roomNumber: { ...text(20), ...optional, name: 'room_number' },
    language: { ...text(10), ...optional },
    duration: { type: 'integer', ...optional },
    startTime: { type: 'timestamp', ...optional, name: 'start_time' },
    endTime: { type: 'timestamp', ...optional, name: 'end_time' },
    satisfaction: { type: 'smallint', ...optional },
  },
  checks: [{ name: 'chk_call_satisfaction', expression: 'satisfaction BETWEEN 1 AND 5' }],
  indices: [
    { name: 'idx_call_tenant_id', columns: ['tenantId'] },
    { name: 'idx_call_start_time', columns: ['startTime'] },
  ],
});

export const Request = new EntitySchema({
  name: 'Request',
  tableName: 'request',
  columns: {
    id,
    tenantId: { ...text(50), ...optional, name: 'tenant_id' },
    callId: { type: 'integer', ...optional, name: 'call_id' },
    roomNumber: { ...text(20), ...optional, name: 'room_number' },
    content: text(),
    status: { ...text(20), default: 'pending' },
    createdAt,
  },
  foreignKeys: [
    { target: 'Tenant', columnNames: ['tenantId'], referencedColumnNames: ['id'] },
    { target: 'Call', columnNames: ['callId'], referencedColumnNames: ['id'] },
  ],
  indices: [
    { name: 'idx_request_tenant_id', columns: ['tenantId'] },
    { name: 'idx_request_status', columns: ['status'] },
  ],
});

export const Message = new EntitySchema({
  name: 'Message',
  tableName: 'message',
  columns: {
    id,
    requestId: { type: 'integer', ...optional, name: 'request_id' },
    tenantId: { ...text(50), ...optional, name: 'tenant_id' },
    sender: { ...text(20), ...optional },
    body: { ...text(), ...optional },
    createdAt: { type: 'timestamptz', name: 'created_at', default: () => 'now()' },
  },
  foreignKeys: [{ target: 'Request', columnNames: ['requestId'], referencedColumnNames: ['id'] }],
  indices: [{ name: 'idx_message_request_id', columns: ['requestId'] }],
});

export const hotelEntities = [Tenant, Staff, Call, Request, Message];
