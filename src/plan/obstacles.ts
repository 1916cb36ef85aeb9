import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { Question } from './question.js';

/** A foreign key that goes before what it holds on to, and the table that it is of. */
export interface ReleasedKey {
  readonly table: QualifiedName;
  readonly name: string;
}

/**
 * What PostgreSQL would name when it refuses to drop a table, view or index; in its own words.
 *
 * @param released what goes before
 */
export function obstaclesOfRelation(relation: QualifiedName, released: readonly ReleasedKey[]): Question {
  const name = quoteLiteral(quoteQualified(relation));
  return obstaclesOf(
    `select c.oid, c.reltype, null::int2 from pg_class c where c.oid = ${name}::regclass`,
    released,
  );
}

/** The same of a column. What is on that column alone or on several, an index say, goes along with it. */
export function obstaclesOfColumn(
  table: QualifiedName,
  column: string,
  released: readonly ReleasedKey[],
): Question {
  const name = quoteLiteral(quoteQualified(table));
  return obstaclesOf(
    `select attrelid, 0::oid, attnum from pg_attribute where attrelid = ${name}::regclass and attname = ${quoteLiteral(column)}`,
    released,
  );
}

/** The same of a constraint: foreign keys hold on to the index of a key. */
export function obstaclesOfKey(
  table: QualifiedName,
  constraint: string,
  released: readonly ReleasedKey[],
): Question {
  const name = quoteLiteral(quoteQualified(table));
  return obstaclesOf(
    `select i.oid, 0::oid, null::int2 from pg_constraint k join pg_class i on i.oid = k.conindid
      where k.conrelid = ${name}::regclass and k.conname = ${quoteLiteral(constraint)} and k.contype <> 'f'`,
    released,
  );
}

/** https://www.postgresql.org/docs/current/catalog-pg-depend.html */
function obstaclesOf(root: string, released: readonly ReleasedKey[]): Question {
  const gone = released.map(
    ({ table, name }) =>
      `k.conrelid = ${quoteLiteral(quoteQualified(table))}::regclass and k.conname = ${quoteLiteral(name)}`,
  );
  return `with root(oid, type, attnum) as (${root})
    select coalesce(json_agg(distinct regexp_replace(
      coalesce(v.text, pg_describe_object(d.classid, d.objid, d.objsubid)), '^default value for ', '')), '[]')
    from root join pg_depend d on d.deptype in ('n', 'a') and (
      d.refclassid = 'pg_class'::regclass and d.refobjid = root.oid and (root.attnum is null or d.refobjsubid = root.attnum)
      or d.refclassid = 'pg_type'::regclass and root.type <> 0 and d.refobjid in (
        select unnest(array[t.oid, t.typarray]) from pg_type t where t.oid = root.type))
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
    left join lateral (select pg_describe_object('pg_class'::regclass, r.ev_class, 0) where r.oid is not null) v(text) on true
    where case
      ${gone.map((key) => `when ${key} then false`).join(' ')}
      when k.oid is not null then d.deptype = 'n' and k.conrelid <> root.oid
      when r.oid is not null then r.ev_class <> root.oid
      when a.oid is not null then root.attnum is not null and a.adrelid = root.oid and a.adnum <> root.attnum
      -- A generated column, before PostgreSQL 15.
      when d.classid = 'pg_class'::regclass and d.deptype = 'a' then
        root.attnum is not null and d.objid = root.oid and d.objsubid not in (0, root.attnum)
      else d.deptype = 'n' end`;
}
