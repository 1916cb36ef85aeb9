import type { UndoRequest } from '../drift/undo-request.js';
import type { AppliedRecord } from '../plan/undo-run.js';
import type { Undoing } from '../plan/step.js';
import { redact } from '../errors.js';
import { queryRows, type Connection } from '../schema/connection.js';
import { quoteLiteral } from '../schema/identifier.js';
import { DONE, journalTable, literals, type JournalTable } from './journal-tables.js';
import type { Reading } from './reading.js';

// Not by their names, as a look comes before the healing that adds the columns to an older version's journal.
const ofFinding = (column: 'desired' | 'former_default'): string => `to_jsonb(f) ->> '${column}'`;

function asRecord(schema: string): string {
  return `s.id::text as "stepId", s.run_id::text as "runId", s.action, s.sql, s.object, f.kind, f.actual,
    ${ofFinding('desired')} as desired, ${ofFinding('former_default')} as "formerDefault", ${changedBy(schema)} as "changedBy",
    ${madeWith(schema)} as "madeWith", ${begunBy(schema)} as "begunBy",
    case when f.table_name is not null then json_build_object('schema', f.table_schema, 'name', f.table_name) end as "table"`;
}

/**
 * The statements by which the run has made what had been missing on a relation that it has made, or added a column to; or
 * all that it has done to a column that it has given another type.
 */
function madeWith(schema: string): string {
  const [steps, findings] = (['step', 'finding'] as const).map((name) => journalTable(schema, name));
  const made = (condition: string): string => `(select json_agg(
      json_build_object('sql', m.sql, 'kind', g.kind, 'object', m.object, 'desired', to_jsonb(g) ->> 'desired') order by m.id)
    from ${steps} m join ${findings} g on g.step_id = m.id
    where m.run_id = s.run_id and m.outcome in (${DONE}) and ${condition})`;
  return `case when s.sql ~ '( ADD COLUMN |^CREATE (TABLE|VIEW|MATERIALIZED VIEW) )' then ${made(
    `(g.table_schema, g.table_name) = (f.table_schema, f.table_name) and (g.kind like 'missing-%' or g.kind = 'invalid-index')`,
  )} when f.kind = 'different-type' then ${made('m.object = s.object')} end`;
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

/** Of the step `s` and its finding `f`: the first later run that has changed the same, with what it has done. */
function changedBy(schema: string): string {
  const [steps, findings, undos] = (['step', 'finding', 'undo'] as const).map((name) =>
    journalTable(schema, name),
  );
  return `(select json_build_object('runId', l.run_id::text,
      'steps', json_agg(json_build_object('sql', l.sql, 'kind', g.kind, 'actual', g.actual) order by l.id))
    from ${steps} l join ${findings} g on g.step_id = l.id
    where l.run_id > s.run_id and l.outcome in (${DONE}) and g.kind not in (${literals(NO_CHANGES)}) and l.sql !~ ${quoteLiteral(LASTING)}
      and (l.object = s.object or g.kind in (${literals(NEW_TABLES)}) and (g.table_schema, g.table_name) = (f.table_schema, f.table_name))
      and not exists (select from ${undos} u join ${steps} t on t.id = u.step_id
        where t.run_id = l.run_id and t.object = l.object and u.done_at is not null)
    group by l.run_id order by l.run_id limit 1)`;
}

/** Of a step that has made a key of an index: what earlier runs have done about it, and died before they were done. */
function begunBy(schema: string): string {
  return `case when s.sql like '% USING INDEX %' then (select json_agg(e.sql) from ${journalTable(schema, 'step')} e
      join ${journalTable(schema, 'finding')} g on g.step_id = e.id
    where e.run_id < s.run_id and e.object = s.object and g.kind = f.kind and e.outcome in (${DONE})) end`;
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
