import type { UndoRequest } from '../drift/undo-request.js';
import type { GivenName } from '../plan/applied-step.js';
import type { AppliedRecord } from '../plan/undo-run.js';
import { isPinnedBy, type Pin } from '../plan/standing.js';
import type { Undoing } from '../plan/step.js';
import { redact } from '../errors.js';
import { queryRows, run, type Connection } from '../schema/connection.js';
import { displayName, quoteLiteral } from '../schema/identifier.js';
import { isoTime, journalTable, type JournalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

/** A process that died may have done what it was at. */
const DONE = `'applied', 'running'`;

// Not by their names, as a look comes before the healing that adds the columns to an older version's journal.
const ofFinding = (column: 'desired' | 'former_default'): string => `to_jsonb(f) ->> '${column}'`;

function asRecord(schema: string): string {
  return `s.id::text as "stepId", s.run_id::text as "runId", s.action, s.sql, s.object, f.kind, f.actual,
    ${ofFinding('desired')} as desired, ${ofFinding('former_default')} as "formerDefault", ${changedBy(schema)} as "changedBy",
    ${madeWith(schema)} as "madeWith",
    case when f.table_name is not null then json_build_object('schema', f.table_schema, 'name', f.table_name) end as "table"`;
}

/** The statements by which the run has made what had been missing on the table of a column that it has added. */
function madeWith(schema: string): string {
  return `case when s.sql like '% ADD COLUMN %' then (select json_agg(m.sql) from ${journalTable(schema, 'step')} m
      join ${journalTable(schema, 'finding')} g on g.step_id = m.id
    where m.run_id = s.run_id and (g.table_schema, g.table_name) = (f.table_schema, f.table_name)
      and (g.kind like 'missing-%' or g.kind = 'invalid-index')) end`;
}

/** What a run has done, or may have done before it died; undefined where there is no run of that id. */
export async function readAppliedSteps(
  connection: Connection,
  schema: string,
  runId: string,
): Promise<AppliedRecord[] | undefined> {
  const table = (name: JournalTable): string => journalTable(schema, name);
  const runs = `select from ${table('run')} where id::text = $1`;
  if ((await queryRows(connection, runs, [runId])).length === 0) return undefined;
  const sql = `select ${asRecord(schema)}, coalesce(f.kind, 'unknown') as kind,
      exists (select from ${table('undo')} u where u.step_id = s.id and u.run_id is not null) as "isUndone"
    from ${table('step')} s left join ${table('finding')} f on f.step_id = s.id
    where s.run_id::text = $1 and s.outcome in (${DONE}) order by s.id`;
  return queryRows<AppliedRecord>(connection, sql, [runId]);
}

/** Later steps that are nobody's change of the object: they are about its rows, write a note of it, or take it back. */
const NO_CHANGES = ['undo', 'unfilled-column', 'unvalidated-constraint', 'sequence-behind', 'missing-note'];

/** Nor are those that nobody can take back, and that keep nothing else from being. */
const LASTING = '( DROP NOT NULL| ADD VALUE .*)$';

/** Later steps that have made the table anew, and its columns with it. */
const NEW_TABLES = ['missing-table', 'extra-table'];

const listOf = (kinds: readonly string[]): string => kinds.map(quoteLiteral).join(', ');

/** Of the step `s` and its finding `f`. */
function changedBy(schema: string): string {
  const [steps, findings, undos] = (['step', 'finding', 'undo'] as const).map((name) =>
    journalTable(schema, name),
  );
  return `(select min(l.run_id)::text from ${steps} l join ${findings} g on g.step_id = l.id
    where l.run_id > s.run_id and l.outcome in (${DONE}) and g.kind not in (${listOf(NO_CHANGES)}) and l.sql !~ ${quoteLiteral(LASTING)}
      and (l.object = s.object or g.kind in (${listOf(NEW_TABLES)}) and (g.table_schema, g.table_name) = (f.table_schema, f.table_name))
      and not exists (select from ${undos} u join ${steps} t on t.id = u.step_id
        where t.run_id = l.run_id and t.object = l.object and u.done_at is not null))`;
}

/** What is still to be taken back, the latest step first. */
export function undosIn(schema: string): Reading<readonly UndoRequest[]> {
  const sql = `select ${asRecord(schema)}, u.asked_by as "by",
      to_jsonb(u) ->> 'refusal' as refusal
    from ${journalTable(schema, 'undo')} u
    join ${journalTable(schema, 'step')} s on s.id = u.step_id
    join ${journalTable(schema, 'finding')} f on f.step_id = u.step_id
    where u.done_at is null and u.expires_at > clock_timestamp() order by s.id desc`;
  return { sql, toValue: (rows: readonly UndoRequest[]) => rows };
}

/** Writes down that somebody wants steps to be taken back. */
export async function askForUndo(
  connection: Connection,
  schema: string,
  steps: readonly AppliedRecord[],
  { by, ttlMs }: { readonly by: string; readonly ttlMs: number },
): Promise<void> {
  const sql = `insert into ${journalTable(schema, 'undo')} (step_id, asked_by, expires_at)
    select id, $2, clock_timestamp() + make_interval(secs => $3::float8 / 1000) from unnest($1::bigint[]) id
    on conflict (step_id) do update
      set asked_by = excluded.asked_by, asked_at = clock_timestamp(), expires_at = excluded.expires_at, done_at = null,
        refusal = null`;
  await connection.query(sql, [steps.map(({ stepId }) => stepId), by, ttlMs]);
}

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
  const sql = `insert into ${table('pin')} (object, kind, desired, run_id, asked_by)
    select distinct each.object, f.kind, f.desired, $1::bigint, u.asked_by from ${table('undo')} u
    join ${table('step')} s on s.id = u.step_id
    join ${table('step')} each on each.run_id = s.run_id and each.object = s.object and each.outcome in (${DONE})
    join ${table('finding')} f on f.step_id = each.id
    where u.step_id = $2 and ($3::text[] is null or f.kind = any ($3))`;
  await connection.query(sql, [runId, stepId, kinds]);
}

export async function undoIsDone(
  connection: Connection,
  schema: string,
  { stepId }: Undoing,
  runId: string,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'undo')} set done_at = clock_timestamp(), run_id = $2 where step_id = $1`;
  await connection.query(sql, [stepId, runId]);
}

/** PostgreSQL has refused it: no healing tries it again, until somebody asks for it once more or approves it. */
export async function noteRefusedUndo(
  connection: Connection,
  schema: string,
  { stepId }: Undoing,
  refusal: string,
): Promise<void> {
  const sql = `update ${journalTable(schema, 'undo')} set refusal = $2 where step_id = $1`;
  await connection.query(sql, [stepId, redact(refusal)]);
}

/** There is nothing to be taken back now: what comes under the same name later is taken back only if somebody asks again. */
export async function closeUndos(
  connection: Connection,
  schema: string,
  stepIds: readonly string[],
): Promise<void> {
  if (stepIds.length === 0) return;
  const sql = `update ${journalTable(schema, 'undo')} set done_at = clock_timestamp()
    where step_id = any ($1::bigint[]) and done_at is null`;
  await connection.query(sql, [stepIds]);
}

/** Their steps make all of an object, with whatever else was found about it. */
const WHOLES = ['missing-column', 'missing-table'];

/** Of the pin `p`. */
function isOver(schema: string): string {
  return `exists (select from ${journalTable(schema, 'step')} s join ${journalTable(schema, 'finding')} f on f.step_id = s.id
    where s.object = p.object and s.run_id > p.run_id and s.outcome = 'applied'
      and (f.kind = p.kind or f.kind in (${listOf(WHOLES)})))`;
}

/** What was taken back stays so under another name. In the transaction that gives it. */
export async function renamePins(
  connection: Connection,
  schema: string,
  { what, of, from, to }: GivenName,
): Promise<void> {
  if (what !== 'TABLE' && what !== 'COLUMN') return;
  const within = what === 'TABLE' ? [of.schema] : [of.schema, of.name];
  const sql = `update ${journalTable(schema, 'pin')} set object = $2 || substr(object, length($1) + 1)
    where object = $1 or left(object, length($1) + 1) = $1 || '.'`;
  await connection.query(sql, [displayName(...within, from), displayName(...within, to)]);
}

/** Takes away what is over, as nobody could tell any more once old runs are deleted. */
export async function forgetPins(connection: Connection, schema: string): Promise<void> {
  await run(connection, `delete from ${journalTable(schema, 'pin')} p where ${isOver(schema)}`);
}

/**
 * What was taken back and is not to be done again, by object. Where a later run has done something else about the same, the
 * entities have asked for that meanwhile, and it is over.
 */
export function pinsIn(schema: string): Reading<ReadonlyMap<string, readonly Pin[]>> {
  // Not by their names, as above.
  const sql = `select p.object, p.kind, p.desired, format('%s has had it undone in run %s (%s); approve it to have it again',
      p.asked_by, p.run_id, ${isoTime('p.pinned_at')}) as reason
    from (select object, to_jsonb(each) ->> 'kind' as kind, to_jsonb(each) ->> 'desired' as desired, run_id, asked_by, pinned_at
      from ${journalTable(schema, 'pin')} each) p
    where not ${isOver(schema)}
    order by p.pinned_at desc`;
  const toValue = (rows: readonly (Pin & { readonly object: string })[]): Map<string, Pin[]> => {
    const pins = new Map<string, Pin[]>();
    for (const { object, ...pin } of rows) pins.set(object, [...(pins.get(object) ?? []), pin]);
    return pins;
  };
  return { sql, toValue };
}

/** Somebody wants it again, as one of its findings has it; one that wants nothing there, or the whole, ends all. */
export async function unpin(
  connection: Connection,
  schema: string,
  finding: { readonly object: string; readonly kind: string; readonly desired: string | null },
): Promise<void> {
  const table = journalTable(schema, 'pin');
  const pins = await queryRows<Pick<Pin, 'kind' | 'desired'>>(
    connection,
    `select distinct kind, desired from ${table} where object = $1`,
    [finding.object],
  );
  const sql = `delete from ${table} where object = $1 and kind is not distinct from $2 and desired is not distinct from $3`;
  for (const pin of pins)
    if (finding.desired === null || WHOLES.includes(finding.kind) || isPinnedBy(pin, finding))
      await connection.query(sql, [finding.object, pin.kind, pin.desired]);
}
