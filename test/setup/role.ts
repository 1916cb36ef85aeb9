import { randomBytes } from 'node:crypto';
import { onServer, type TestDatabase } from './database.js';
import { closeAfter } from './open-resources.js';

export interface TestRole {
  readonly role: string;
  /** Of the database, by that role. */
  readonly url: string;
}

/** A role without any right, by which one can log in. */
export async function createTestRole(database: TestDatabase): Promise<TestRole> {
  const role = `role_${randomBytes(6).toString('hex')}`;
  await database.query(`create role ${role} login password 'secret'`);
  dropRoleAfter(role);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  return { role, url: url.href };
}

/** A role can be dropped once nothing is its own: the file's databases go first. */
export function dropRoleAfter(role: string): void {
  closeAfter('roles', () => onServer(`DROP ROLE IF EXISTS ${role}`));
}
