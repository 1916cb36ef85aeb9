import type { Drift, Plan } from '../plan/plan.js';
import { NOTHING_STANDS, type Standing } from '../plan/standing.js';
import type { Connection } from '../schema/connection.js';
import { approvalsIn } from './approvals.js';
import type { Claims, Release } from './claims.js';
import { areFillsToNumber } from './fill-columns.js';
import { fillsIn } from './fills.js';
import { journalTablesIn, mayRead } from './journal-relations.js';
import { journalTable, type JournalTable } from './journal-tables.js';
import { nothingToRead, readTogether, type Reading } from './reading.js';
import { pinsIn } from './pins.js';
import { undosIn } from './undos.js';

/** What planning has to know, and what keeping the journal does. */
interface Found extends Standing {
  /** The role may not read it. */
  readonly isHidden: boolean;
  readonly areFillsToNumber: boolean;
}

/**
 * What earlier runs, and other releases, have written down that planning has to know, in two round trips. Where the role
 * may not read the journal nothing is known, and `isHidden`.
 */
export async function readStanding(
  connection: Connection,
  schema: string,
  claims: Claims,
  release: Release,
): Promise<Found> {
  const journal = await journalTablesIn(connection, schema);
  const isHidden = !mayRead(journal);
  const has = (name: JournalTable): boolean => !isHidden && journal.has(name);
  const { notConverging, rival, given, ...rest } = await readTogether(connection, {
    notConverging: has('not_converging') ? notConvergingIn(schema) : nothingToRead([]),
    rival: has('claim') ? claims.rival(release) : nothingToRead(null),
    given: has('approval') ? approvalsIn(schema) : nothingToRead(NOTHING_STANDS),
    undos: has('undo') ? undosIn(schema) : nothingToRead(NOTHING_STANDS.undos),
    pins: has('pin') ? pinsIn(schema) : nothingToRead(NOTHING_STANDS.pins),
    fills: has('fill') ? fillsIn(connection, schema) : nothingToRead(NOTHING_STANDS.fills),
    areFillsToNumber: has('fill') ? areFillsToNumber(connection, schema) : nothingToRead(false),
  });
  return {
    ...rest,
    approvals: given.approvals,
    voided: given.voided,
    keepsDecisions: has('approval') && has('undo'),
    notConverging: new Set(notConverging),
    olderReleaseIsAlive: rival !== null,
    olderRelease: rival && claims.describe(rival),
    isHidden,
  };
}

function notConvergingIn(schema: string): Reading<readonly string[]> {
  const sql = `select drift_id as id from ${journalTable(schema, 'not_converging')}`;
  return { sql, toValue: (rows: readonly { id: string }[]) => rows.map(({ id }) => id) };
}

/**
 * Notes which findings were applied and are still wanted, so that no run does it again; and forgets those that are no
 * longer found. What another application has noted, whose entities have no table in common with these, is not looked for.
 */
export async function noteNotConverging(
  connection: Connection,
  schema: string,
  stubborn: readonly Drift[],
  { desiredHash, tables, plan }: Release & { readonly plan: Pick<Plan, 'drift'> },
): Promise<void> {
  const notes = journalTable(schema, 'not_converging');
  const rivals = `select c.desired_hash from ${journalTable(schema, 'claim')} c where c.tables && $3::text[]`;
  await connection.query(
    `delete from ${notes} where drift_id <> all ($1)
      and (desired_hash is null or desired_hash = $2 or desired_hash in (${rivals}))`,
    [plan.drift.map(({ id }) => id), desiredHash, [...tables]],
  );
  const insert = `insert into ${notes} (drift_id, object, desired, actual, desired_hash) values ($1, $2, $3, $4, $5)
    on conflict do nothing`;
  for (const { id, object, desired, actual } of stubborn)
    await connection.query(insert, [id, object, desired, actual, desiredHash]);
}
