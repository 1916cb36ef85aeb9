import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { QualifiedName } from '../schema/model.js';

/**
 * A fact about the rows of a table that a plan hangs on, as a SELECT of one boolean. Asked only for what differs, so a
 * database in sync is asked nothing.
 */
export type Question = string;

/** The same with a number for an answer. */
export type Count = string;

/** The answers; one is missing where the server could not tell, say because the column is not there yet. */
export type Answers = ReadonlyMap<Question, unknown>;

export function hasRows(table: QualifiedName): Question {
  return `select exists (select from ${quoteQualified(table)})`;
}

/** A partitioned table is as large as its partitions together. */
export function isLarger(table: QualifiedName, bytes: number): Question {
  const name = `${quoteLiteral(quoteQualified(table))}::regclass`;
  return `select coalesce((select sum(pg_table_size(relid)) from pg_partition_tree(${name})), pg_table_size(${name})) > ${bytes}`;
}

export function hasNulls(table: QualifiedName, column: string): Question {
  return `select exists (select from ${quoteQualified(table)} where ${quoteIdentifier(column)} is null)`;
}

/** Whether an expression is NULL for some row. */
export function givesNull(table: QualifiedName, expression: string): Question {
  return `select exists (select from ${quoteQualified(table)} where (${expression}) is null)`;
}

export function countOfNulls(table: QualifiedName, column: string): Count {
  return `select count(*)::float8 from ${quoteQualified(table)} where ${quoteIdentifier(column)} is null`;
}

export const mayCreateSchemas: Question = `select has_database_privilege(current_database(), 'CREATE')`;

export function mayReference(table: QualifiedName): Question {
  return `select has_table_privilege(${quoteLiteral(quoteQualified(table))}, 'REFERENCES')`;
}

export function mayUpdate(table: QualifiedName): Question {
  return `select has_table_privilege(${quoteLiteral(quoteQualified(table))}, 'UPDATE')`;
}

/** The sequence that a column owns, as its names. */
export function ownedSequence(table: QualifiedName, column: string): Question {
  return `select json_build_object('schema', n.nspname, 'name', c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = pg_get_serial_sequence(${quoteLiteral(quoteQualified(table))}, ${quoteLiteral(column)})::regclass`;
}

export function isExtensionAvailable(name: string): Question {
  return `select exists (select from pg_available_extensions where name = ${quoteLiteral(name)})`;
}

/** A trusted extension is anybody's who may create in the database. */
export function mayCreateExtension(name: string): Question {
  return `select (select rolsuper from pg_roles where rolname = current_user) or exists (
    select from pg_available_extension_versions
    where name = ${quoteLiteral(name)} and trusted and has_database_privilege(current_database(), 'CREATE'))`;
}

/** OWNED BY wants both in one schema and of one owner; and a sequence has one column. */
export function mayBeOwned(sequence: string, table: QualifiedName): Question {
  return `select not exists (
      select from pg_depend where classid = 'pg_class'::regclass and objid = s.oid and deptype in ('a', 'i'))
      and s.relowner = t.relowner and s.relnamespace = t.relnamespace
    from pg_class s, pg_class t
    where s.oid = ${quoteLiteral(sequence)}::regclass and t.oid = ${quoteLiteral(quoteQualified(table))}::regclass`;
}

/** Foreign keys hold on to the very index that backs them. */
export function isPointedTo(table: QualifiedName, key: string): Question {
  return `select exists (
    select from pg_index x join pg_class i on i.oid = x.indexrelid
    join pg_constraint f on f.contype = 'f' and f.conindid = i.oid
    where x.indrelid = ${quoteLiteral(quoteQualified(table))}::regclass and i.relname = ${quoteLiteral(key)})`;
}

/** The tables that foreign keys of a column, or to it, connect its table with; as names. */
export function tablesBehind(table: QualifiedName, column: string): Question {
  return `select coalesce(json_agg(distinct jsonb_build_object('schema', n.nspname, 'name', c.relname)), '[]')
    from pg_attribute a
    join pg_constraint k on k.contype = 'f' and k.conparentid = 0 and (
      k.conrelid = a.attrelid and a.attnum = any (k.conkey) or k.confrelid = a.attrelid and a.attnum = any (k.confkey))
    join pg_class c on c.oid = case k.conrelid when a.attrelid then k.confrelid else k.conrelid end
    join pg_namespace n on n.oid = c.relnamespace
    where a.attrelid = ${quoteLiteral(quoteQualified(table))}::regclass and a.attname = ${quoteLiteral(column)}`;
}

/** Whether a name is taken that an object is to get. */
export function isTaken(table: QualifiedName, name: string): Question {
  return `select to_regclass(${quoteLiteral(quoteQualified({ schema: table.schema, name }))}) is not null or exists (
    select from pg_constraint
    where conrelid = ${quoteLiteral(quoteQualified(table))}::regclass and conname = ${quoteLiteral(name)})`;
}

export function countOfMisfits(
  table: QualifiedName,
  column: string,
  type: string,
  serverVersion: number,
): Count | null {
  const name = quoteIdentifier(column);
  const isMisfit = serverVersion >= INPUT_IS_VALID_SINCE ? isInvalidInput : isOutside;
  const misfit = TEXTS.includes(type) ? 'false' : isMisfit(name, type);
  return misfit
    ? `select count(*)::int from ${quoteQualified(table)} where ${name} is not null and ${misfit}`
    : null;
}

/** Every value can be written as one. */
const TEXTS = ['text', 'character varying'];

export const INPUT_IS_VALID_SINCE = 160000;

/** PostgreSQL 16's way to ask whether a text is a value of a type, its length included, without an error. */
function isInvalidInput(value: string, type: string): string {
  return `not pg_input_is_valid(${value}::text, ${quoteLiteral(type)})`;
}

const BYTES_OF_INTEGERS: Readonly<Record<string, number>> = { smallint: 2, integer: 4, bigint: 8 };
const UUID = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`;

/** The same for the types that older versions can be asked about; null for others. */
function isOutside(value: string, type: string): string | null {
  const [, limit] = /^character varying\((\d+)\)$/.exec(type) ?? [];
  if (limit) return `length(${value}::text) > ${limit}`;
  if (type === 'uuid') return `${value}::text !~* '${UUID}'`;
  const bytes = BYTES_OF_INTEGERS[type];
  if (bytes === undefined) return null;
  const end = 2n ** BigInt(8 * bytes - 1);
  // A text that is no number fails this, and a question that fails has no answer.
  const number = `${value}::text::numeric`;
  return `(${number} not between ${-end} and ${end - 1n} or ${number} <> trunc(${number}))`;
}
