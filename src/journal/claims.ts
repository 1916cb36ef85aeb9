import { SqlState, sqlStateOf } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import { VERSION } from '../version.js';
import { isoTime, journalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/** One release of the application, as far as the database is concerned. */
export interface Release {
  readonly desiredHash: string;
  /** `public.staff`. Releases that have none in common are no rivals: they may be of two applications. */
  readonly tables: readonly string[];
}

/** That a release leads, or led: its processes heal. Plain data. */
export interface Claim {
  readonly desiredHash: string;
  /** Of this package. */
  readonly version: string;
  /** ISO 8601. */
  readonly claimedAt: string;
  /** When one of its processes was last there; ISO 8601. */
  readonly lastSeenAt: string;
}

/** Asks the database one statement: by a session of ours, or by the application's pool. */
export type Ask = <Row>(sql: string, values: readonly unknown[]) => Promise<Row[]>;

/** By a session of ours. */
export function askOf(connection: Connection): Ask {
  return (sql, values) => queryRows(connection, sql, values);
}

/**
 * Which release of the application leads. Each claims the database when its processes start; the newest claim leads for
 * as long as one of its processes was seen lately, and the others only watch.
 */
export class Claims {
  /** What this process has claimed the database for. */
  private claimed: string | undefined;
  private mayWrite = true;

  /** @param contractAfterMs how long after it was last seen a release counts as gone */
  constructor(
    private readonly journalSchema: string,
    private readonly contractAfterMs: number,
  ) {}

  /** Whether the database is still to be claimed for a release, and can be. */
  isDue({ desiredHash }: Release): boolean {
    return this.mayWrite && this.claimed !== desiredHash;
  }

  /** As far as is known the role may write to the journal. */
  get mayBeMade(): boolean {
    return this.mayWrite;
  }

  /** This role has no journal: no release is known to it. */
  giveUp(): void {
    this.mayWrite = false;
  }

  /** Makes a release the leading one, unless it is already. Without effect as long as there is no journal. */
  async claim(ask: Ask, release: Release): Promise<void> {
    const { desiredHash, tables } = release;
    const rows = await this.attempt(() =>
      ask(claimOf(this.journalSchema), [desiredHash, VERSION, [...tables]]),
    );
    if (rows) this.claimed = desiredHash;
  }

  /** Shows that a release is still there. Answers with a newer one that leads; null where it leads itself. */
  async follow(ask: Ask, { desiredHash }: Release): Promise<Claim | null> {
    const sql = heartbeatOf(this.journalSchema);
    const values = [desiredHash, this.contractAfterMs];
    const [row] = (await this.attempt(() => ask<Heartbeat>(sql, values))) ?? [];
    // Somebody has deleted it, with the journal perhaps.
    if (row?.isClaimed === false) this.claimed = undefined;
    return row?.newer ?? null;
  }

  /** A rival of which processes were seen lately, whether it leads or not; the latest seen of them. */
  rival(release: Release): Reading<Claim | null> {
    const sql = rivalOf(this.journalSchema, release, this.contractAfterMs);
    return { sql, toValue: ([row]: readonly { claim: Claim }[]) => row?.claim ?? null };
  }

  /** Who it is, and until when it counts as alive. */
  describe({ desiredHash, claimedAt, lastSeenAt }: Claim): string {
    const gone = new Date(Date.parse(lastSeenAt) + this.contractAfterMs).toISOString();
    return `release ${desiredHash.slice(0, 12)} (since ${claimedAt}), whose processes were seen at ${lastSeenAt}; if none is seen again, it counts as gone at ${gone}`;
  }

  /** Undefined where there are no claims, or none for this role. */
  private async attempt<Value>(task: () => Promise<Value>): Promise<Value | undefined> {
    if (!this.mayWrite) return undefined;
    try {
      return await task();
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === SqlState.insufficientPrivilege || state === SqlState.readOnly) this.giveUp();
      else if (state === SqlState.undefinedTable) this.claimed = undefined;
      else throw error;
      return undefined;
    }
  }
}

interface Heartbeat {
  readonly isClaimed: boolean;
  readonly newer: Claim | null;
}

const asJson = (claim: string): string => `json_build_object('desiredHash', ${claim}.desired_hash,
    'version', ${claim}.version, 'claimedAt', ${isoTime(`${claim}.claimed_at`)}, 'lastSeenAt', ${isoTime(`${claim}.last_seen_at`)})`;

const isAlive = (claim: string, contractAfterMs: string): string =>
  `${claim}.last_seen_at > clock_timestamp() - make_interval(secs => ${contractAfterMs}::float8 / 1000)`;

/** Two processes of one release may both insert: then the later one stands for both. */
function claimOf(journalSchema: string): string {
  const claims = journalTable(journalSchema, 'claim');
  return `with newest as (
      select id, desired_hash from ${claims} where desired_hash = $1 or tables && $3::text[] order by id desc limit 1),
    touched as (
      update ${claims} c set last_seen_at = clock_timestamp() from newest n where c.id = n.id and n.desired_hash = $1)
    insert into ${claims} (desired_hash, version, tables)
      select $1, $2, $3 where not exists (select from newest where desired_hash = $1)`;
}

function heartbeatOf(journalSchema: string): string {
  const claims = journalTable(journalSchema, 'claim');
  return `with own as (
      update ${claims} set last_seen_at = clock_timestamp()
      where id = (select max(id) from ${claims} where desired_hash = $1) returning id, tables)
    select own.id is not null as "isClaimed", newer.claim as newer
    from (select) one left join own on true
    left join lateral (
      select ${asJson('c')} as claim from ${claims} c
      where c.id > own.id and c.tables && own.tables and ${isAlive('c', '$2')} order by c.id desc limit 1) newer on true`;
}

function rivalOf(journalSchema: string, { desiredHash, tables }: Release, contractAfterMs: number): string {
  const own = `array[${tables.map(quoteLiteral).join(', ')}]::text[]`;
  return `select ${asJson('c')} as claim from ${journalTable(journalSchema, 'claim')} c
    where c.desired_hash <> ${quoteLiteral(desiredHash)} and c.tables && ${own} and ${isAlive('c', `${contractAfterMs}`)}
    order by c.last_seen_at desc limit 1`;
}
