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

let dropped: Promise<unknown> = Promise.resolve();

/**
 * A role can be dropped once nothing is its own: the file's databases go first. One after another, as a role and its member
 * dropped in the same moment both delete what makes it one ("tuple concurrently deleted").
 */
export function dropRoleAfter(role: string): void {
  const drop = (): Promise<void> => onServer(`DROP ROLE IF EXISTS ${role}`);
  closeAfter('roles', () => (dropped = dropped.then(drop, drop)));
}
