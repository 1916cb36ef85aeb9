import { randomBytes } from 'node:crypto';

/** The same server and role, another database. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs may share a server, so that a number would not do. It needs no quotes in SQL. */
export function randomName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`;
}
