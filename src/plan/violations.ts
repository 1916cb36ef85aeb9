import { displayName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Constraint, Index, QualifiedName } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { rowsOf, type NewColumns } from './new-columns.js';
import type { PlanContext } from './proposal.js';
import type { Count, Question } from './question.js';

/** What a unique index is to keep unique. */
interface UniqueKeys {
  readonly keys: readonly string[];
  readonly predicate: string | null;
}

interface Duplicates {
  readonly values: number;
  readonly rows: number;
  /** The most frequent ones, cut. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;
const CHARACTERS_AN_EXAMPLE = 60;

/** The rows that an index cannot be unique over, with how many they are and which. */
export function duplicatesUnder(table: QualifiedName, index: Index, context: PlanContext): Hazard | null {
  const unique = { keys: index.uniqueKeys, predicate: index.predicate };
  if (!context.ask(hasDuplicates(table, unique, context.newColumns))) return null;
  const rows = describeDuplicates(table, unique, context);
  return violated(`${rows}; make them different, or the index not unique`);
}

/** Whether rows stand in the way of a check or foreign key: what the server can answer, it can also enforce. */
export function isViolated(
  table: QualifiedName,
  constraint: Constraint,
  newColumns: NewColumns,
): Question | null {
  const rows = violatingRows(table, constraint, newColumns);
  return rows === null ? null : anyOf(rows);
}

function violatingRows(table: QualifiedName, constraint: Constraint, newColumns: NewColumns): string | null {
  if (constraint.type === 'foreign-key') return orphans(table, constraint, newColumns);
  return constraint.type === 'check' ? failing(table, constraint, newColumns) : null;
}

function failing(table: QualifiedName, constraint: Constraint, newColumns: NewColumns): string {
  const rows = rowsOf(table, constraint.columns, newColumns);
  return `${rows} as ${quoteIdentifier(table.name)} where not ${checkExpression(constraint)}`;
}

const anyOf = (rows: string): Question => `select exists (select from ${rows})`;

/** The rows that stand in the way of a constraint, with how many they are. */
export function violationOf(
  table: QualifiedName,
  constraint: Constraint,
  context: PlanContext,
): Hazard | null {
  switch (constraint.type) {
    case 'check':
      return countedViolation(
        failing(table, constraint, context.newColumns),
        (rows) => `violated by ${rows ?? 'rows'}; mend them, or the check`,
        context,
      );
    case 'foreign-key':
      return countedViolation(
        orphans(table, constraint, context.newColumns),
        (rows) =>
          `violated by ${rows ?? 'rows'} with nothing to point to; mend or delete them, or add what they point to`,
        context,
      );
    case 'unique':
    case 'primary-key':
      return violationOfKey(table, constraint, context);
    case 'exclusion':
      return null;
  }
}

function violationOfKey(table: QualifiedName, constraint: Constraint, context: PlanContext): Hazard | null {
  const { type, columns } = constraint;
  const unique = { keys: columns.map(quoteIdentifier), predicate: null };
  const anyNull = columns.map((column) => `${quoteIdentifier(column)} is null`).join(' or ');
  const rows = `${rowsOf(table, columns, context.newColumns)} as ${quoteIdentifier(table.name)}`;
  const nulls = type === 'primary-key' ? countOf(`${rows} where ${anyNull}`, context) : false;
  const hasEqual = context.ask(hasDuplicates(table, unique, context.newColumns));
  if (nulls === false && !hasEqual) return null;
  const reasons = [
    ...(nulls === false
      ? []
      : [
          `NULL in ${nulls ?? 'rows'} of ${columns.map((column) => displayName(column)).join(', ')}; fill them`,
        ]),
    ...(hasEqual ? [`${describeDuplicates(table, unique, context)}; make them different`] : []),
  ];
  return violated(reasons.join('; '));
}

function violated(detail: string): Hazard {
  return { kind: 'violated', detail };
}

function countedViolation(
  rows: string,
  describe: (rows: string | undefined) => string,
  context: PlanContext,
): Hazard | null {
  const count = countOf(rows, context);
  return count === false ? null : violated(describe(count));
}

/**
 * Counts only what is known to be there, as the first row found answers sooner than all.
 *
 * @returns false where none is there or known; undefined where they could not be counted in time
 */
function countOf(rows: string, { ask, count }: PlanContext): string | undefined | false {
  if (!ask(anyOf(rows))) return false;
  const number: Count = `select count(*)::int from ${rows}`;
  const answer = count(number);
  return answer === undefined ? undefined : `${answer} ${answer === 1 ? 'row' : 'rows'}`;
}

/** NULLs are no duplicates of each other. */
function duplicatesFrom(
  table: QualifiedName,
  { keys, predicate }: UniqueKeys,
  newColumns: NewColumns,
): string {
  const conditions = [...keys.map((key) => `${key} is not null`), ...(predicate === null ? [] : [predicate])];
  const rows = `${rowsOf(table, keys, newColumns)} as ${quoteIdentifier(table.name)}`;
  return `from ${rows} where ${conditions.join(' and ')} group by ${keys.join(', ')} having count(*) > 1`;
}

function hasDuplicates(table: QualifiedName, unique: UniqueKeys, newColumns: NewColumns): Question {
  return `select exists (select ${duplicatesFrom(table, unique, newColumns)})`;
}

function describeDuplicates(
  table: QualifiedName,
  unique: UniqueKeys,
  { fact, newColumns }: PlanContext,
): string {
  const duplicates = fact(duplicatesIn(table, unique, newColumns)) as Duplicates | undefined;
  if (!duplicates) return 'rows have the same values';
  const { values, rows, examples } = duplicates;
  const occur = values === 1 ? '1 value occurs' : `${values} values occur`;
  const most = values > examples.length ? ', most often' : '';
  return `${occur} more than once, in ${rows} rows${most}: ${examples.join(', ')}`;
}

function duplicatesIn(table: QualifiedName, unique: UniqueKeys, newColumns: NewColumns): Question {
  const texts = unique.keys.map((key) => `(${key})::text`);
  const whole =
    texts.length === 1 ? texts.join('') : `concat('(', concat_ws(', ', ${texts.join(', ')}), ')')`;
  const cut = `case when length(${whole}) > ${CHARACTERS_AN_EXAMPLE} then left(${whole}, ${CHARACTERS_AN_EXAMPLE}) || '…' else ${whole} end`;
  return `with duplicated as materialized (select count(*) as n, ${cut} as example ${duplicatesFrom(table, unique, newColumns)})
    select json_build_object('values', (select count(*) from duplicated), 'rows', (select sum(n) from duplicated),
      'examples', (select json_agg(example) from (select example from duplicated order by n desc, example limit ${EXAMPLES}) most))`;
}

function checkExpression({ definition }: Constraint): string {
  return definition.replace(/^CHECK /, '').replace(/ NO INHERIT$/, '');
}

/** The rows of a table whose foreign key points to no row. */
function orphans(table: QualifiedName, { columns, references }: Constraint, newColumns: NewColumns): string {
  if (!references) throw new TypeError('a foreign key points to a table');
  const child = columns.map((column) => `child.${quoteIdentifier(column)}`);
  const parent = references.columns.map((column) => `parent.${quoteIdentifier(column)}`);
  const pairs = child.map((column, i) => `${column} = ${parent[i]}`);
  return `${rowsOf(table, columns, newColumns)} child
    where ${child.map((column) => `${column} is not null`).join(' and ')}
      and not exists (select from ${quoteQualified(references)} parent where ${pairs.join(' and ')})`;
}
