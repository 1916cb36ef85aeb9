import { hostname, userInfo } from 'node:os';

/** Who types, for the journal. A container's user need have no name. */
export function user(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `${process.getuid?.() ?? 'somebody'}@${hostname()}`;
  }
}
