import type { Difference } from '../drift/drift-kind.js';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';
import { addedColumn, addedConstraint, builtIndex } from './applied-step.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import type { Question } from './question.js';
import { referencedBy, step } from './statements.js';
import type { Step, TakenAlong } from './step.js';
import { findTable } from './build-index.js';

/** What goes with the column or relation that it is built on. */
export interface Built {
  readonly is: keyof typeof DROPS;
  readonly name: string;
  /** Of what has one of its own. */
  readonly schema: string;
}

/** How each is dropped, in the order in which nothing has gone already with something else. */
const DROPS = {
  policy: (name: string, table: string) => `DROP POLICY ${name} ON ${table}`,
  trigger: (name: string, table: string) => `DROP TRIGGER ${name} ON ${table}`,
  statistics: (name: string, _table: string, schema: string) => `DROP STATISTICS ${schema}.${name}`,
  index: (name: string, _table: string, schema: string) => `DROP INDEX ${schema}.${name}`,
  constraint: (name: string, table: string) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`,
  column: (name: string, table: string) => `ALTER TABLE ${table} DROP COLUMN ${name}`,
} as const;

/** What is to be done about what others have built on something that is undone. */
export interface OthersWork {
  readonly drops: readonly Step[];
  readonly hazard: Hazard | null;
  readonly takesAlong: TakenAlong;
}

/**
 * What another run or somebody's hand has made, or this run in place of another, would go with the column or table without a
 * word. So each has a statement of its own, and whoever approves the undo approves these.
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
    .filter((each) => !isOwn(each, difference))
    .toSorted((one, other) => kinds.indexOf(one.is) - kinds.indexOf(other.is));
  const names = others.map(({ name }) => name).join(', ');
  const detail = `${names} would go with it, and not come back: take that back or drop it first, or approve this`;
  return {
    drops: others.map((each) => dropOf(each, difference, relation, context)),
    hazard: hazardIf(others.length > 0, 'undecided', detail),
    takesAlong: { question, known: built.map(({ name }) => name) },
  };
}

function isOwn({ is, name }: Built, { request }: Difference<'undo'>): boolean {
  const made = request.madeWith ?? [];
  // A table's own parts stand in its statement.
  if (addedColumn(request) === null) return made.some((sql) => sql.includes(quoteIdentifier(name)));
  return made.some((sql) => (is === 'index' ? builtIndex({ sql })?.name : addedConstraint({ sql })) === name);
}

function dropOf(
  { is, name, schema }: Built,
  difference: Difference<'undo'>,
  relation: QualifiedName,
  { actual }: PlanContext,
): Step {
  const sql = DROPS[is](quoteIdentifier(name), quoteQualified(relation), quoteIdentifier(schema));
  const constraints = findTable(actual.tables, relation)?.constraints ?? [];
  const alsoLocks = referencedBy(...constraints.filter((each) => is === 'constraint' && each.name === name));
  return step(difference, `drop ${is}`, sql, 'ACCESS EXCLUSIVE', { alsoLocks });
}

function builtOnColumn(table: QualifiedName, column: string): Question {
  // What is of a key alone is found by the key.
  return listOf(`select distinct case when i.oid is not null then 'index' when s.oid is not null then 'statistics' else 'constraint' end,
      coalesce(k.conname, i.relname, s.stxname), coalesce(s.stxnamespace, c.relnamespace)
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum
    left join pg_class i on d.classid = 'pg_class'::regclass and i.oid = d.objid and i.relkind in ('i', 'I')
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.contype <> 'n'
    left join pg_statistic_ext s on d.classid = 'pg_statistic_ext'::regclass and s.oid = d.objid
    where a.attrelid = ${oidOf(table)} and a.attname = ${quoteLiteral(column)}`);
}

function builtOnRelation(relation: QualifiedName): Question {
  const oid = oidOf(relation);
  return listOf(`select 'policy', polname, c.relnamespace from pg_policy join pg_class c on c.oid = polrelid where polrelid = ${oid}
    union all select 'trigger', tgname, c.relnamespace from pg_trigger join pg_class c on c.oid = tgrelid
      where tgrelid = ${oid} and not tgisinternal
    union all select 'statistics', stxname, stxnamespace from pg_statistic_ext where stxrelid = ${oid}
    union all select 'index', i.relname, i.relnamespace from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = ${oid} and not exists (
        select from pg_constraint k where k.conindid = x.indexrelid and k.conrelid = x.indrelid and k.contype in ('p', 'u', 'x'))
    union all select 'constraint', conname, connamespace from pg_constraint where conrelid = ${oid} and contype not in ('n', 't')
    union all select 'column', attname, c.relnamespace from pg_attribute a join pg_class c on c.oid = a.attrelid
      where a.attrelid = ${oid} and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`);
}

function oidOf(relation: QualifiedName): string {
  return `to_regclass(${quoteLiteral(quoteQualified(relation))})`;
}

/** As a list of {@link Built}. */
function listOf(built: string): Question {
  return `select coalesce(json_agg(json_build_object('is', "is", 'name', name, 'schema', n.nspname) order by name), '[]')
    from (${built}) built("is", name, namespace) join pg_namespace n on n.oid = built.namespace where name is not null`;
}
