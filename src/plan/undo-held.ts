import type { UndoRequest } from '../drift/undo-request.js';
import { displayName, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import { addedColumn, addedConstraint, builtIndex } from './applied-step.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import type { Question } from './question.js';

/** What speaks against taking an index, a constraint or a column back that by now holds, or is, more than the run has made. */
export function heldByOthers(
  request: UndoRequest,
  table: QualifiedName,
  context: PlanContext,
): (Hazard | null)[] {
  const constraint = addedConstraint(request);
  const index =
    builtIndex(request) ?? (constraint === null ? null : { schema: table.schema, name: constraint });
  const identity = replicaIdentity(request, table, index, context);
  return index === null ? [identity] : [identity, adopted(table, index, constraint, context)];
}

function adopted(
  table: QualifiedName,
  index: QualifiedName,
  constraint: string | null,
  { fact }: PlanContext,
): Hazard | null {
  const ofKey =
    constraint === null ? [] : ((fact(adoptedByKey(table, constraint)) as string[] | undefined) ?? []);
  const names = [...((fact(adoptedByIndex(index)) as string[] | undefined) ?? []), ...ofKey];
  const detail = `${names.join(', ')} would go with it, as it has become a part of it: PostgreSQL takes no partition's part away from that of the whole`;
  return hazardIf(names.length > 0, 'waits', detail);
}

/**
 * Of partitions: those that were there when the whole's was made, or came with a partition that was attached. What
 * PostgreSQL has made itself is younger than that of the whole, and bears a name that PostgreSQL gives.
 * https://www.postgresql.org/docs/current/ddl-partitioning.html
 */
function adoptedByIndex(index: QualifiedName): Question {
  return `with recursive part(oid, parent) as (
      select h.inhrelid, h.inhparent from pg_inherits h where h.inhparent = to_regclass(${quoteLiteral(quoteQualified(index))})
      union all select h.inhrelid, h.inhparent from pg_inherits h join part on h.inhparent = part.oid)
    select coalesce(json_agg(format('%s of %s', i.relname, t.relname) order by i.relname), '[]')
    from part join pg_class i on i.oid = part.oid and i.relkind in ('i', 'I') join pg_index x on x.indexrelid = i.oid
    join pg_class t on t.oid = x.indrelid
    where i.oid < part.parent or i.relname !~ '_(idx|key|pkey|excl)[0-9]*$'`;
}

/** The same of foreign keys, which have no index. */
function adoptedByKey(table: QualifiedName, constraint: string): Question {
  return `with recursive part(oid, parent, name) as (
      select k.oid, null::oid, k.conname from pg_constraint k
      where k.conrelid = to_regclass(${quoteLiteral(quoteQualified(table))}) and k.conname = ${quoteLiteral(constraint)} and k.contype = 'f'
      union all select k.oid, part.oid, part.name from pg_constraint k join part on k.conparentid = part.oid)
    select coalesce(json_agg(format('%s of %s', k.conname, t.relname) order by k.conname), '[]')
    from part join pg_constraint k on k.oid = part.oid join pg_class t on t.oid = k.conrelid
    where part.parent is not null and t.relispartition
      and (k.oid < part.parent or k.conname <> part.name and k.conname !~ '_fkey[0-9]*$')`;
}

/** Without it a table that is published takes no UPDATE and no DELETE. */
function replicaIdentity(
  request: UndoRequest,
  table: QualifiedName,
  index: QualifiedName | null,
  { fact }: PlanContext,
): Hazard | null {
  const column = addedColumn(request);
  if (index === null && column === null) return null;
  const found = fact(replicaIdentityOf(table)) as
    { readonly name: string; readonly columns: string[] } | null | undefined;
  if (!found || (found.name !== index?.name && !found.columns.includes(column ?? ''))) return null;
  const of = displayName(table.schema, table.name);
  const detail = `${found.name} is the replica identity of ${of}, which would take no UPDATE and no DELETE while it is published; give it another one first, or approve this`;
  return { kind: 'undecided', detail };
}

/** https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-REPLICA-IDENTITY */
function replicaIdentityOf(table: QualifiedName): Question {
  return `select (select json_build_object('name', i.relname, 'columns', array(
      select a.attname from pg_attribute a where a.attrelid = x.indrelid and a.attnum = any (x.indkey)))
    from pg_index x join pg_class i on i.oid = x.indexrelid
    where x.indrelid = to_regclass(${quoteLiteral(quoteQualified(table))}) and x.indisreplident)`;
}
