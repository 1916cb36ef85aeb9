import type { Difference } from '../drift/drift-kind.js';
import { isSameName, quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import { addedColumn, addedConstraint, builtIndex, isNewTable } from './applied-step.js';
import { isAsMade, isPartAsMade } from './as-made.js';
import { findTable } from './build-index.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import type { Question } from './question.js';
import { referencedBy, step } from './statements.js';
import type { Built, Step, TakenAlong } from './step.js';

/** How each is dropped, in the order in which nothing has gone already with something else; of several columns with another. */
const DROPS: Record<Built['is'], (name: string, relation: string, schema: string) => string> = {
  policy: (name, relation) => `DROP POLICY ${name} ON ${relation}`,
  trigger: (name, relation) => `DROP TRIGGER ${name} ON ${relation}`,
  rule: (name, relation) => `DROP RULE ${name} ON ${relation}`,
  statistics: (name, _relation, schema) => `DROP STATISTICS IF EXISTS ${schema}.${name}`,
  index: (name, _relation, schema) => `DROP INDEX IF EXISTS ${schema}.${name}`,
  constraint: (name, relation) => `ALTER TABLE ${relation} DROP CONSTRAINT IF EXISTS ${name}`,
  column: (name, relation) => `ALTER TABLE ${relation} DROP COLUMN ${name}`,
  sequence: (name, _relation, schema) => `DROP SEQUENCE ${schema}.${name}`,
};

/** What is to be done about what others have built on something that is undone. */
export interface OthersWork {
  readonly drops: readonly Step[];
  readonly hazard: Hazard | null;
  readonly takesAlong: TakenAlong;
}

/**
 * What another run or somebody's hand has made would go with the column, the table or the view without a word. So each has a
 * statement of its own, and whoever approves the undo approves these.
 *
 * @param column null for the whole table or view
 */
export function builtByOthers(
  difference: Difference<'undo'>,
  relation: QualifiedName,
  column: string | null,
  context: PlanContext,
): OthersWork {
  const question = column === null ? builtOnRelation(relation) : builtOnColumn(relation, column);
  const built = (context.fact(question) as Built[] | undefined) ?? [];
  const kinds = Object.keys(DROPS);
  const others = built
    .filter((each) => !isOwn(each, difference, context))
    .toSorted((one, other) => kinds.indexOf(one.is) - kinds.indexOf(other.is));
  const names = others.map(({ name }) => name).join(', ');
  const detail = `${names} would go with it, and not come back: take that back or drop it first, or approve this`;
  return {
    drops: others.map((each) => dropOf(each, difference, context)),
    hazard: hazardIf(others.length > 0, 'undecided', detail),
    takesAlong: { question, known: built, lock: lockOf(difference, relation) },
  };
}

/** Made by the run, and as it has made it. */
function isOwn(built: Built, { request }: Difference<'undo'>, { actual }: PlanContext): boolean {
  const { is, name, relation } = built;
  if (is !== 'index' && is !== 'constraint' && is !== 'column') return false;
  const found = findTable(actual.tables, relation);
  return (request.madeWith ?? []).some((made) => {
    if (isNewTable(made) || made.kind === 'missing-table')
      return found !== undefined && isPartAsMade(made.sql, is, name, found);
    // What a partition has of its own is known by its name alone.
    const isOfPart = request.table !== null && !isSameName(relation, request.table);
    return (
      isMadeBy(made.sql, is, name) && (isOfPart || isAsMade({ ...request, ...made, madeWith: null }, actual))
    );
  });
}

function isMadeBy(sql: string, is: 'index' | 'constraint' | 'column', name: string): boolean {
  switch (is) {
    case 'index':
      return builtIndex({ sql })?.name === name;
    case 'constraint':
      return addedConstraint({ sql }) === name;
    case 'column':
      return addedColumn({ sql }) === name;
  }
}

function dropOf(
  { is, name, schema, relation }: Built,
  difference: Difference<'undo'>,
  { actual }: PlanContext,
): Step {
  const sql = DROPS[is](quoteIdentifier(name), quoteQualified(relation), quoteIdentifier(schema));
  const constraints = findTable(actual.tables, relation)?.constraints ?? [];
  const alsoLocks = referencedBy(...constraints.filter((each) => is === 'constraint' && each.name === name));
  return step(difference, `drop ${is}`, sql, 'ACCESS EXCLUSIVE', { alsoLocks });
}

/**
 * Nobody can build on it once this has run. LOCK knows no materialized view, and of a view it locks the tables, too; who
 * changes an option of one has it for himself.
 */
function lockOf({ request: { sql } }: Difference<'undo'>, relation: QualifiedName): string {
  const name = quoteQualified(relation);
  if (sql.startsWith('CREATE MATERIALIZED VIEW '))
    return `alter materialized view ${name} reset (fillfactor)`;
  if (sql.startsWith('CREATE VIEW ')) return `alter view ${name} reset (security_barrier)`;
  return `lock table ${name} in access exclusive mode`;
}

function builtOnColumn(table: QualifiedName, column: string): Question {
  // What is of a key alone is found by the key, and what a child has by inheritance goes with the parent's.
  return listOf(`
    with recursive family(oid) as (
      select ${oidOf(table)}::oid union select h.inhrelid from pg_inherits h join family on h.inhparent = family.oid)
    select distinct
      case when b.oid is not null then 'constraint' when i.oid is not null then 'index' when s.oid is not null then 'statistics'
        when q.oid is not null then 'sequence' when g.attname is not null then 'column' else 'constraint' end,
      coalesce(b.conname, i.relname, s.stxname, q.relname, g.attname, k.conname),
      coalesce(s.stxnamespace, q.relnamespace, c.relnamespace), c.oid
    from family join pg_class c on c.oid = family.oid join pg_attribute a on a.attrelid = c.oid
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum
    left join pg_class i on d.classid = 'pg_class'::regclass and i.oid = d.objid and i.relkind in ('i', 'I') and not i.relispartition
    -- That of an exclusion depends on what its expressions read.
    left join pg_constraint b on b.conindid = i.oid and b.conrelid = c.oid and b.contype in ('p', 'u', 'x')
    left join pg_statistic_ext s on d.classid = 'pg_statistic_ext'::regclass and s.oid = d.objid
    left join pg_class q on d.classid = 'pg_class'::regclass and q.oid = d.objid and ${isLooseSequence('d', 'q')}
    left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid and f.adrelid = c.oid
    -- Before PostgreSQL 15 a generated column itself depends on what it reads.
    left join pg_attribute g on g.attrelid = c.oid and g.attnum <> a.attnum and g.attinhcount = 0 and g.attnum = coalesce(
      f.adnum, case when d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid <> 0 then d.objsubid end)
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.conrelid = c.oid
      and k.contype not in ('n', 't') and k.coninhcount = 0 and k.conparentid = 0
    where a.attname = ${quoteLiteral(column)} and not a.attisdropped`);
}

function builtOnRelation(relation: QualifiedName): Question {
  return listOf(`
    with c as (select oid, relnamespace, relkind from pg_class where oid = ${oidOf(relation)})
    select 'policy', polname, relnamespace, c.oid from c join pg_policy p on p.polrelid = c.oid
    union all select 'trigger', tgname, relnamespace, c.oid from c join pg_trigger t on t.tgrelid = c.oid where not t.tgisinternal
    union all select 'rule', rulename, relnamespace, c.oid from c join pg_rewrite r on r.ev_class = c.oid where r.rulename <> '_RETURN'
    union all select 'statistics', stxname, stxnamespace, c.oid from c join pg_statistic_ext s on s.stxrelid = c.oid
    union all select 'index', i.relname, i.relnamespace, c.oid from c join pg_index x on x.indrelid = c.oid
      join pg_class i on i.oid = x.indexrelid where not exists (
        select from pg_constraint k where k.conindid = x.indexrelid and k.conrelid = c.oid and k.contype in ('p', 'u', 'x'))
    union all select 'constraint', conname, relnamespace, c.oid from c join pg_constraint k on k.conrelid = c.oid
      where k.contype not in ('n', 't')
    union all select 'column', attname, relnamespace, c.oid from c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    union all select 'sequence', q.relname, q.relnamespace, c.oid from c
      join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.classid = 'pg_class'::regclass
      join pg_class q on q.oid = d.objid and ${isLooseSequence('d', 'q')}`);
}

/** Whether a sequence belongs to a column whose default it is not. */
function isLooseSequence(dependency: string, sequence: string): string {
  return `${sequence}.relkind = 'S' and ${dependency}.deptype = 'a' and not exists (
      select from pg_attrdef own join pg_depend reads on reads.classid = 'pg_attrdef'::regclass and reads.objid = own.oid
      where own.adrelid = ${dependency}.refobjid and own.adnum = ${dependency}.refobjsubid
        and reads.refclassid = 'pg_class'::regclass and reads.refobjid = ${sequence}.oid)`;
}

function oidOf(relation: QualifiedName): string {
  return `to_regclass(${quoteLiteral(quoteQualified(relation))})`;
}

/** As a list of {@link Built}. */
function listOf(built: string): Question {
  return `select coalesce(json_agg(json_build_object('is', built."is", 'name', built.name, 'schema', n.nspname,
      'relation', json_build_object('schema', m.nspname, 'name', r.relname)) order by built.name), '[]')
    from (${built}) built("is", name, namespace, relation) join pg_namespace n on n.oid = built.namespace
    join pg_class r on r.oid = built.relation join pg_namespace m on m.oid = r.relnamespace
    where built.name is not null`;
}
