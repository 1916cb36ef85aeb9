import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import type { Question } from './question.js';

/** A statement that gives a view that is made anew what the old one had. */
export interface Kept {
  readonly sql: string;
  /** The columns that it names. */
  readonly columns: readonly string[];
}

export interface Dependant extends QualifiedName {
  readonly kind: 'view' | 'materialized view';
  readonly owned: boolean;
  /** Options, comments, indexes, owner and grants, in the order of their making. */
  readonly keeps: readonly Kept[];
}

/** What has to be made anew with a view, or because of a column. */
export interface Dependants {
  /** Each before those that build on it; of a view itself it is the first. */
  readonly views: readonly Dependant[];
  /** What would be lost, or refuses the change, in PostgreSQL's words: `rule … on table …`. */
  readonly obstacles: readonly string[];
}

/** Asked where a view has to be made anew, with what builds on it. Answers with {@link Dependants}. */
export function dependantsOfView(view: QualifiedName): Question {
  return dependantsOf(`select ${oidOf(view)}, null::int2`);
}

/** Asked where a column gets another type, which PostgreSQL refuses to change below a view. */
export function dependantsOfColumn(table: QualifiedName, column: string): Question {
  return dependantsOf(
    `select attrelid, attnum from pg_attribute where attrelid = ${oidOf(table)} and attname = ${quoteLiteral(column)}`,
  );
}

function oidOf(relation: QualifiedName): string {
  return `${quoteLiteral(quoteQualified(relation))}::regclass::oid`;
}

/** A view depends on its columns through its rule. https://www.postgresql.org/docs/current/catalog-pg-depend.html */
function dependantsOf(root: string): Question {
  const uses = (from: string, condition: string): string => `from ${from} f
      join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = f.oid and ${condition}
      join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
        and r.ev_class <> f.oid`;
  return `with recursive root(oid, attnum) as (${root}), found(oid, depth) as (
      select r.ev_class, 1 ${uses('root', '(f.attnum is null or d.refobjsubid = f.attnum)')}
      union select r.ev_class, f.depth + 1 ${uses('found', 'true')}
    ), remade(oid, depth) as (
      select oid, max(depth) from found group by oid
      union all select oid, 0 from root where attnum is null
    )
    select json_build_object(
      'views', (select coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname,
          'kind', case c.relkind when 'm' then 'materialized view' else 'view' end,
          'owned', pg_has_role(c.relowner, 'USAGE'),
          'keeps', (select coalesce(json_agg(json_build_object('sql', k.sql, 'columns', k.columns)
            order by k.place, k.sql), '[]') from (${KEEPS}) k(place, sql, columns))) order by m.depth, c.oid), '[]')
        from remade m join pg_class c on c.oid = m.oid join pg_namespace n on n.oid = c.relnamespace
        cross join lateral format('%I.%I', n.nspname, c.relname) q
        cross join lateral (select case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'VIEW' end) w(kind)),
      'obstacles', (select coalesce(json_agg(distinct what), '[]') from (
          select regexp_replace(pg_describe_object(d.classid, d.objid, d.objsubid), '^default value for ', '')
          from pg_depend d where (${TOUCHES}) and (${OBSTRUCTS})
          union all ${FIXED}) found(what)))`;
}

/** Of the relation c, called q, of the kind w. */
const KEEPS = `select 1, format('ALTER %s %s SET (%s)', w.kind, q, array_to_string(c.reloptions, ', ')), '{}'::text[]
    where c.reloptions is not null
  union all select 2, format('COMMENT ON %s %s IS %L', w.kind, q, d.description), '{}' from pg_description d
    where d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
  union all select 2, format('COMMENT ON COLUMN %s.%I IS %L', q, a.attname, d.description), array[a.attname::text]
    from pg_description d join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid
    where d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid > 0
  union all select 3, pg_get_indexdef(x.indexrelid), array(
      select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = any (x.indkey))
    from pg_index x where x.indrelid = c.oid and x.indisvalid
  union all select 4, format('ALTER %s %s OWNER TO %I', w.kind, q, r.rolname), '{}' from pg_roles r
    where r.oid = c.relowner and r.rolname <> current_user
  union all select 5, format('REVOKE ALL ON %s FROM %s', q, ${grantee('g')}), '{}'
    from pg_default_acl p cross join lateral aclexplode(p.defaclacl) g join pg_roles o on o.oid = p.defaclrole
    where o.rolname = current_user and p.defaclobjtype = 'r' and p.defaclnamespace in (0, c.relnamespace)
      and g.grantee <> p.defaclrole
  union all select 6, format('GRANT %s ON %s TO %s%s', g.privilege_type, q, ${grantee('g')}, ${withOption('g')}), '{}'
    from aclexplode(c.relacl) g where g.grantee <> c.relowner
  union all select 6, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, a.attname, q, ${grantee('g')}, ${withOption('g')}),
      array[a.attname::text]
    from pg_attribute a cross join lateral aclexplode(a.attacl) g where a.attrelid = c.oid and g.grantee <> c.relowner`;

function grantee(grant: string): string {
  return `(case ${grant}.grantee when 0 then 'PUBLIC' else (select quote_ident(rolname) from pg_roles where oid = ${grant}.grantee) end)`;
}

function withOption(grant: string): string {
  return `(case when ${grant}.is_grantable then ' WITH GRANT OPTION' else '' end)`;
}

/** What depends on the views, on the types of their rows or on the column. */
const TOUCHES = `d.refclassid = 'pg_class'::regclass and (d.refobjid in (select oid from remade)
      or exists (select from root where d.refobjid = root.oid and d.refobjsubid = root.attnum))
    or d.refclassid = 'pg_type'::regclass and d.refobjid in (
      select unnest(array[t.oid, t.typarray]) from pg_type t join remade m on m.oid = t.typrelid)`;

/** What fixes the type of a column itself: what it is inherited from, the key of its partitions, columns of its row's type. */
const FIXED = `select format('the column that it is inherited from, of table %s,', h.inhparent::regclass)
      from root join pg_attribute a on a.attrelid = root.oid and a.attnum = root.attnum and a.attinhcount > 0
      join pg_inherits h on h.inhrelid = root.oid
    union all select format('the partition key of table %s', p.partrelid::regclass)
      from root join pg_partitioned_table p on p.partrelid = root.oid and root.attnum = any (p.partattrs)
    union all select pg_describe_object(d.classid, d.objid, d.objsubid)
      from root join pg_type t on t.typrelid = root.oid and root.attnum is not null
      join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid in (t.oid, t.typarray)
        and d.classid = 'pg_class'::regclass and d.objsubid <> 0
      join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p', 'm')`;

/**
 * What PostgreSQL neither changes along nor this module makes anew. Indexes and constraints of a column follow it; a
 * generated column depends on others by its expression, before PostgreSQL 15 by itself.
 */
const OBSTRUCTS = `case d.classid
    when 'pg_rewrite'::regclass then not exists (
      select from pg_rewrite r join remade m on m.oid = r.ev_class where r.oid = d.objid and r.rulename = '_RETURN')
    when 'pg_attrdef'::regclass then not exists (
      select from pg_attrdef a join root on root.oid = a.adrelid and root.attnum = a.adnum where a.oid = d.objid)
    when 'pg_class'::regclass then d.refclassid = 'pg_type'::regclass or d.objsubid <> 0
    when 'pg_type'::regclass then d.deptype <> 'i'
    else d.classid in ('pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
    end`;
