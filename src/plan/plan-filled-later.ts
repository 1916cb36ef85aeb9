import type { Difference } from '../drift/drift-kind.js';
import {
  displayName,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  truncateIdentifier,
} from '../schema/identifier.js';
import type { Column, QualifiedName } from '../schema/model.js';
import { temporarySequenceName } from '../schema/temporary-names.js';
import { columnDefinition, isAddedByRewrite } from './column-definition.js';
import type { Execution, PlanContext } from './proposal.js';
import { isTaken } from './question.js';
import { alterColumn, alterTable, step, tableOf } from './statements.js';
import { unit, type Step, type Unit } from './step.js';

/**
 * Whether a column is added empty and its rows are filled afterwards: where adding it would rewrite the table, or its
 * default would take the place of what the rows are declared to get.
 */
export function isFilledLater(column: Column, execution: Execution): boolean {
  if (column.generated !== null) return false;
  const isRewrite = isAddedByRewrite(column);
  if (isRewrite) return execution === 'online' || column.backfill !== undefined;
  return column.backfill !== undefined && column.expression !== null;
}

/** New rows have their value at once: column and default come in one transaction. */
export function addEmpty(difference: Difference<'missing-column'>, context: PlanContext): Step[] {
  const { wanted } = difference;
  const bare = { ...wanted, expression: null, serial: false, identity: null, notNull: false };
  const add = alterTable(difference, 'add column', `ADD COLUMN ${columnDefinition(bare)}`);
  if (!wanted.serial && wanted.identity === null)
    return [add, setDefault(difference, wanted.expression ?? 'NULL')];
  const table = tableOf(difference);
  const sequence = quoteQualified(sequenceOf(table, wanted, context));
  const owner = `${quoteQualified(table)}.${quoteIdentifier(wanted.name)}`;
  const create = `CREATE SEQUENCE ${sequence} AS ${wanted.type} OWNED BY ${owner}`;
  return [
    add,
    step(difference, 'create sequence', create, 'NONE'),
    setDefault(difference, `nextval(${quoteLiteral(sequence)}::regclass)`),
  ];
}

function setDefault(difference: Difference<'missing-column'>, expression: string): Step {
  return alterColumn(difference, difference.wanted.name, 'set default', `SET DEFAULT ${expression}`);
}

function sequenceOf(table: QualifiedName, column: Column, { ask }: PlanContext): QualifiedName {
  const { schema, name } = table;
  const usual = truncateIdentifier(`${name}_${column.name}_seq`);
  const isUsual = column.identity === null && ask(isTaken(table, usual)) === false;
  return isUsual ? { schema, name: usual } : passingSequence(table, column);
}

/** An identity has a sequence of its own later: until then the column's has another name. */
export function passingSequence({ schema, name }: QualifiedName, column: Column): QualifiedName {
  return { schema, name: temporarySequenceName(displayName(schema, name, column.name)) };
}

/** The identity goes on counting where the sequence was. Its own sequence gets PostgreSQL's name for it. */
export function toIdentity(difference: Difference<'different-generation'>, passing: QualifiedName): Unit {
  const { name, identity } = difference.wanted;
  const sequence = quoteQualified(passing);
  const table = quoteQualified(tableOf(difference));
  const generated = `ADD GENERATED ${(identity ?? 'always').toUpperCase()} AS IDENTITY`;
  const own = `pg_get_serial_sequence(${quoteLiteral(table)}, ${quoteLiteral(name)})`;
  const go = `SELECT setval(${own}, last_value, is_called) FROM ${sequence}`;
  return unit(
    'not-null',
    alterColumn(difference, name, 'drop default', 'DROP DEFAULT'),
    step(difference, 'free the sequence', `ALTER SEQUENCE ${sequence} OWNED BY NONE`, 'NONE'),
    alterColumn(difference, name, 'add identity', generated),
    step(difference, 'set the sequence', go, 'NONE'),
    step(difference, 'drop the sequence', `DROP SEQUENCE ${sequence}`, 'NONE'),
  );
}
