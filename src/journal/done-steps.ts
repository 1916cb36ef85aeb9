import { quoteLiteral } from '../schema/identifier.js';
import { DONE, journalTable, literals, type JournalTable } from './journal-tables.js';

/** Later steps that are nobody's change of the object: they are about its rows, write a note of it, or take it back. */
const NO_CHANGES = ['undo', 'unfilled-column', 'unvalidated-constraint', 'sequence-behind', 'missing-note'];

/** Nor are those that nobody can take back, and that keep nothing else from being. */
const LASTING = '( DROP NOT NULL| ADD VALUE .*)$';

/** Later steps that have made the table anew, and its columns with it. */
const NEW_TABLES = ['missing-table', 'extra-table'];

/** What others may have built on, and what goes or stays with a column. */
const BUILT = '( ADD (COLUMN|CONSTRAINT) |^CREATE (TABLE|VIEW|MATERIALIZED VIEW|INDEX|UNIQUE INDEX) )';

/** As they are in `record`, by names that need no others. */
export const AS_RECORD = `record.id::text as "stepId", record.run_id::text as "runId", record.action, record.sql, record.object,
    coalesce(record.kind, 'unknown') as kind, record.actual, record.desired, record.former_default as "formerDefault",
    record."changedBy", record."madeWith", record."begunBy",
    case when record.table_name is not null
      then json_build_object('schema', record.table_schema, 'name', record.table_name) end as "table"`;

/**
 * What has to be known of steps to take them back, as CTEs that end with `record`. Each is read once for all, as there may be
 * thousands of steps to ask for and many more after them.
 *
 * @param ids a query of the steps' ids
 */
export function recordsOf(schema: string, ids: string): string {
  const table = (name: JournalTable): string => journalTable(schema, name);
  return `with asked as materialized (
      select s.id, s.run_id, s.object, s.action, s.sql, f.kind, f.table_schema, f.table_name, f.actual,
        ${ofFinding('f', 'desired')} as desired, ${ofFinding('f', 'former_default')} as former_default
      from ${table('step')} s left join ${table('finding')} f on f.step_id = s.id where s.id in (${ids})),
    ${changesSince(table)},
    ${madeWith(table)},
    begun as (
      select a.id as asked, json_agg(e.sql) as steps from asked a
      join ${table('step')} e on e.object = a.object and e.run_id < a.run_id and e.outcome in (${DONE})
      join ${table('finding')} g on g.step_id = e.id and g.kind = a.kind
      where a.sql like '% USING INDEX %' group by a.id),
    record as (
      select asked.*, changed.by as "changedBy", made.steps as "madeWith", begun.steps as "begunBy" from asked
      left join changed on changed.asked = asked.id left join made on made.asked = asked.id
      left join begun on begun.asked = asked.id)`;
}

// Not by their names, as a look comes before the healing that adds the columns to an older version's journal.
function ofFinding(finding: string, column: 'desired' | 'former_default'): string {
  return `to_jsonb(${finding}) ->> '${column}'`;
}

/** The first later run that has changed the same, with what it has done. */
function changesSince(table: (name: JournalTable) => string): string {
  return `taken_back as materialized (
      select distinct t.run_id, t.object from ${table('undo')} u join ${table('step')} t on t.id = u.step_id
      where u.done_at is not null),
    change as materialized (
      select l.id, l.run_id, l.object, l.sql, g.kind, g.actual, g.table_schema, g.table_name
      from ${table('step')} l join ${table('finding')} g on g.step_id = l.id
      where l.run_id > (select min(run_id) from asked) and l.outcome in (${DONE}) and g.kind not in (${literals(NO_CHANGES)})
        and (l.object in (select object from asked) or g.kind in (${literals(NEW_TABLES)}))
        and l.sql !~ ${quoteLiteral(LASTING)}
        and not exists (select from taken_back t where t.run_id = l.run_id and t.object = l.object)),
    later as materialized (
      select a.id as asked, c.id, c.run_id, c.sql, c.kind, c.actual from asked a
      join change c on c.object = a.object and c.run_id > a.run_id
      union
      select a.id, c.id, c.run_id, c.sql, c.kind, c.actual from asked a
      join change c on c.table_schema = a.table_schema and c.table_name = a.table_name and c.run_id > a.run_id
      where c.kind in (${literals(NEW_TABLES)})),
    changed as (
      select l.asked, json_build_object('runId', l.run_id::text,
        'steps', json_agg(json_build_object('sql', l.sql, 'kind', l.kind, 'actual', l.actual) order by l.id)) as by
      from later l join (select asked, min(run_id) as run_id from later group by asked) first using (asked, run_id)
      group by l.asked, l.run_id)`;
}

/**
 * The statements by which the run has made what had been missing on a relation; all that it has done to a column that it has
 * given another type; the values that later runs have added to an enum.
 */
function madeWith(table: (name: JournalTable) => string): string {
  return `mate as materialized (
      select m.id, m.run_id, m.object, m.sql, g.kind, ${ofFinding('g', 'desired')} as desired, g.table_schema, g.table_name
      from ${table('step')} m join ${table('finding')} g on g.step_id = m.id
      where m.run_id in (select run_id from asked) and m.outcome in (${DONE})),
    built as (
      select a.id as asked, m.id, m.sql, m.kind, m.object, m.desired from asked a
      join mate m on m.run_id = a.run_id and m.table_schema = a.table_schema and m.table_name = a.table_name
      where a.kind <> 'different-type' and a.sql ~ ${quoteLiteral(BUILT)} and (m.kind like 'missing-%' or m.kind = 'invalid-index')
      union all
      select a.id, m.id, m.sql, m.kind, m.object, m.desired from asked a
      join mate m on m.run_id = a.run_id and m.object = a.object where a.kind = 'different-type'
      union all
      select a.id, v.id, v.sql, a.kind, v.object, null from asked a
      join ${table('step')} v on v.object = a.object and v.run_id > a.run_id and v.outcome in (${DONE})
      where a.sql like 'CREATE TYPE %' and v.sql like 'ALTER TYPE % ADD VALUE %'),
    made as (
      select asked, json_agg(json_build_object('sql', sql, 'kind', kind, 'object', object, 'desired', desired) order by id) as steps
      from built group by asked)`;
}
