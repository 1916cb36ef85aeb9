import { JournalError } from '../errors.js';
import { askOf, type Ask, type Claim, type Claims, type Release } from '../journal/claims.js';
import { settleFills } from '../journal/fill-columns.js';
import { ensureJournal } from '../journal/ensure-journal.js';
import type { Trigger } from '../journal/records.js';
import type { Connect, Connection } from '../schema/connection.js';
import { acquireHealerLock } from './healer-lock.js';

/**
 * The newer release that leads in our place; null where ours does. A process that starts takes the lead, and so does
 * whoever heals by hand; a tick only follows.
 */
export async function newerRelease(
  { claims }: { readonly claims: Claims },
  { trigger = 'api' }: { readonly trigger?: Trigger },
  ask: Ask,
  release: Release,
): Promise<Claim | null> {
  if (trigger === 'cron' && !claims.isDue(release)) return claims.follow(ask, release);
  await claims.claim(ask, release);
  return null;
}

/** How often a release that heals for long shows that it is there, while it counts as alive after one sign. */
const SIGNS_OF_LIFE = 3;

/** A healing may take hours, and no tick comes meanwhile. */
export function keepAlive(
  context: {
    readonly claims: Claims;
    readonly ask: Ask;
    readonly options: { readonly contractAfterMs: number };
  },
  release: Release,
): NodeJS.Timeout {
  const { claims, ask, options } = context;
  const show = (): void => void claims.follow(ask, release).catch(() => undefined);
  return setInterval(show, options.contractAfterMs / SIGNS_OF_LIFE).unref();
}

interface ToKeep extends Release {
  /** The journal knows columns by names alone. */
  readonly areFillsToNumber: boolean;
}

/** What there is to keep of a look, beside what it may lead to. */
interface Keeping<Look extends ToKeep> {
  readonly connect: Connect;
  readonly claims: Claims;
  readonly lookout: {
    readonly shouldRemember: (look: Look) => boolean;
    readonly remember: (connection: Connection, look: Look) => Promise<void>;
    readonly forget: (look: Look) => void;
  };
  readonly options: { readonly journalSchema: string };
}

/** Whether the journal lacks what the next start, or other releases, would have from this look. */
export function isToBeKept<Look extends ToKeep>(
  { claims, lookout }: Pick<Keeping<Look>, 'claims' | 'lookout'>,
  look: Look,
): boolean {
  return lookout.shouldRemember(look) || claims.isDue(look) || (look.areFillsToNumber && claims.mayBeMade);
}

/** The next start is the faster for it; where it cannot be, nothing is lost. */
export async function keepQuietly<Look extends ToKeep>(
  { connect, claims, lookout, options: { journalSchema } }: Keeping<Look>,
  connection: Connection,
  look: Look,
): Promise<void> {
  try {
    const lock = await acquireHealerLock(connect, journalSchema, 0, new AbortController().signal);
    if (!lock) return;
    try {
      await ensureJournal(connection, journalSchema);
      await settleFills(connection, journalSchema);
      await lookout.remember(connection, look);
      await claims.claim(askOf(connection), look);
    } finally {
      await lock.release();
    }
  } catch (error) {
    lookout.forget(look);
    if (error instanceof JournalError) claims.giveUp();
    if (connection.lost.aborted) throw error;
  }
}
