import type { GivenName } from '../plan/applied-step.js';
import { isPinnedBy, pinUnder, type Pin, type PinnedFinding } from '../plan/pins.js';
import type { Undoing } from '../plan/step.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { DONE, isoTime, journalTable, literals, type JournalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/**
 * Keeps an object as it is about to be: what the run's findings about it asked for, as far as it is taken back, is not done
 * again, whoever does that. In the transaction of the undo, where it has one.
 */
export async function pinUndone(
  connection: Connection,
  schema: string,
  { stepId, kinds }: Undoing,
  runId: string,
): Promise<void> {
  const table = (name: JournalTable): string => journalTable(schema, name);
  const sql = `insert into ${table('pin')} (object, table_schema, table_name, kind, desired, run_id, asked_by)
    select distinct each.object, f.table_schema, f.table_name, f.kind,
      case when f.kind = 'renamed-column' then f.actual when not ${isPinnedInPart(schema)} then f.desired end, $1::bigint, u.asked_by from ${table('undo')} u
    join ${table('step')} s on s.id = u.step_id
    join ${table('step')} each on each.run_id = s.run_id and each.object = s.object and each.outcome in (${DONE})
    join ${table('finding')} f on f.step_id = each.id
    where u.step_id = $2 and ($3::text[] is null or f.kind = any ($3))`;
  await connection.query(sql, [runId, stepId, kinds]);
}

/** Their steps make all of an object, with whatever else was found about it. */
const WHOLES = ['missing-column', 'missing-table'];

/**
 * Of the whole that the finding `f` of the step `each` has made: another run has changed it since, and that was taken back
 * before. What entities ask for is then what both have made together, which is in no finding: anything.
 */
function isPinnedInPart(schema: string): string {
  return `(f.kind in (${literals(WHOLES)}) and exists (select from ${journalTable(schema, 'pin')} o
    where o.object = each.object and coalesce(o.kind, '') not like '%-constraint' or starts_with(o.object, each.object || '.')
      or f.kind = 'missing-table' and (o.table_schema, o.table_name) = (f.table_schema, f.table_name)))`;
}

/** Of the pin `p`: something else has been done about the same later, or its table made anew, with all parts. */
function isOver(schema: string): string {
  const [kind, isOfTable] = [`coalesce(to_jsonb(p) ->> 'kind', '')`, isOfTablePinned()];
  return `exists (select from ${journalTable(schema, 'step')} s join ${journalTable(schema, 'finding')} f on f.step_id = s.id
    where (s.run_id > p.run_id or s.run_id = p.run_id and s.started_at > p.pinned_at) and s.outcome = 'applied' and (
      s.object = p.object and (f.kind = ${kind} and (f.kind not like '%-index' or to_jsonb(p) ->> 'table_name' is null or ${isOfTable})
        or f.kind in (${literals(WHOLES)}) and ${kind} not like '%-constraint')
      or f.kind = 'missing-table' and ${isOfTable}))`;
}

/** The name of an index is one of its schema, not of its table. */
function isOfTablePinned(): string {
  return `(f.table_schema, f.table_name) = (to_jsonb(p) ->> 'table_schema', to_jsonb(p) ->> 'table_name')`;
}

// Not by their names, as a look comes before the healing that adds the columns to an older version's journal.
const AS_PIN = `to_jsonb(p) ->> 'id' as id, p.object, to_jsonb(p) ->> 'kind' as kind, to_jsonb(p) ->> 'desired' as desired,
    case when to_jsonb(p) ->> 'table_name' is not null
      then json_build_object('schema', to_jsonb(p) ->> 'table_schema', 'name', to_jsonb(p) ->> 'table_name') end as "table"`;

type PinRow = Omit<Pin, 'reason'> & { readonly id: string };

async function readPins(connection: Connection, schema: string): Promise<PinRow[]> {
  return queryRows<PinRow>(connection, `select ${AS_PIN} from ${journalTable(schema, 'pin')} p`);
}

/** What was taken back stays so under another name. In the transaction that gives it. */
export async function renamePins(connection: Connection, schema: string, name: GivenName): Promise<void> {
  const sql = `update ${journalTable(schema, 'pin')} set object = $2, table_name = $3, desired = $4 where id = $1`;
  for (const pin of await readPins(connection, schema)) {
    const { id, object, table, desired } = pinUnder(pin, name);
    if (object !== pin.object || table !== pin.table || desired !== pin.desired)
      await connection.query(sql, [id, object, table?.name, desired]);
  }
}

/** Takes away what is over, as nobody could tell any more once old runs are deleted. */
export async function forgetPins(connection: Connection, schema: string): Promise<void> {
  await run(connection, `delete from ${journalTable(schema, 'pin')} p where ${isOver(schema)}`);
}

/**
 * What was taken back and is not to be done again. Where a later run has done something else about the same, the
 * entities have asked for that meanwhile, and it is over.
 */
export function pinsIn(schema: string): Reading<readonly Pin[]> {
  const sql = `select ${AS_PIN}, format('%s has had it undone in run %s (%s); approve it to have it again',
      p.asked_by, p.run_id, ${isoTime('p.pinned_at')}) as reason
    from ${journalTable(schema, 'pin')} p where not ${isOver(schema)} order by p.pinned_at desc`;
  return { sql, toValue: (rows: readonly Pin[]) => rows };
}

/** It may be called as a column is, and is none of its. */
function isConstraint({ kind }: PinRow): boolean {
  return kind?.endsWith('-constraint') ?? false;
}

/**
 * Somebody wants it again, as one of its findings has it; one that wants nothing there, or the whole, ends all.
 *
 * @param pinnedAs the object of the pin that had kept the finding from being healed; the finding's own by default
 */
export async function unpin(
  connection: Connection,
  schema: string,
  finding: PinnedFinding,
  pinnedAs: string = finding.object,
): Promise<void> {
  const isWhole = finding.desired === null || WHOLES.includes(finding.kind);
  const over = (await readPins(connection, schema)).filter(
    (pin) =>
      isPinnedBy(pin, finding) ||
      isPinnedBy(pin, { ...finding, object: pinnedAs }) ||
      (isWhole && pin.object === finding.object && !isConstraint(pin)),
  );
  if (over.length === 0) return;
  const sql = `delete from ${journalTable(schema, 'pin')} where id = any ($1::bigint[])`;
  await connection.query(sql, [over.map(({ id }) => id)]);
}
