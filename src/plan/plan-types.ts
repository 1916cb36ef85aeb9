import type { Difference } from '../drift/drift-kind.js';
import { isSameDefault } from '../drift/compare-columns.js';
import { displayName, isSameName, onlyName, quoteIdentifier, quoteQualified } from '../schema/identifier.js';
import type { Column, QualifiedName, Table } from '../schema/model.js';
import { dependantsOfColumn, type Dependants } from './dependants.js';
import type { Hazard } from './hazard.js';
import { lossByType } from './loss.js';
import { hazardIf, mayBeLarge, propose, type PlanContext, type Planner } from './proposal.js';
import { countOfMisfits, tablesBehind } from './question.js';
import { remakeViews } from './remake-views.js';
import { alterColumn, setDefault, step, tableOf } from './statements.js';
import { unit, type Step } from './step.js';
import { isWidened, isWidenedByRewrite } from './type-change.js';

/** In place where PostgreSQL only changes the catalog; by a rewrite where no value can be lost and the table is small. */
export const planType: Planner<'different-type'> = (difference, context) => {
  const { wanted, found, views } = difference;
  const inPlace = isWidened(found.type, wanted.type);
  const keepsValues = inPlace || isWidenedByRewrite(found.type, wanted.type);
  const cast = castTo(wanted.type, found.type);
  const using = keepsValues ? collationOf(found) : ` USING ${quoteIdentifier(wanted.name)}${cast}`;
  const change = alterColumn(difference, wanted.name, 'change type', `TYPE ${wanted.type}${using}`, {
    alsoLocks: tablesBehindForeignKeys(tableOf(difference), wanted.name, context),
    rewrites: !inPlace,
    formerDefault: found.generated ? null : found.expression,
  });
  const dependants = context.fact(dependantsOfColumn(tableOf(difference), wanted.name)) as
    Dependants | undefined;
  const remaking = remakeViews(difference, dependants ?? { views: [], obstacles: [] }, views, context);
  const { drops, creates, hazards } = remaking;
  const changes = withDefault(difference, change, keepsValues);
  const whole = unit('type-change', ...drops, ...changes, ...widenSequence(difference), ...creates);
  const target = { type: wanted.type, cast };
  const table = tableOf(difference);
  const isLarge = keepsValues || mayBeLarge(table, context);
  const loss = lossByType(table, found, target, context.actual.serverVersion, isLarge);
  return propose(
    [keepsValues ? whole : { ...whole, loss }],
    [
      keepsValues ? null : hazardOfLoss(difference, context),
      keepsValues && !inPlace ? hazardOfRewrite(difference, context) : null,
      keepsValues && !inPlace ? hazardOfForeignKey(difference, context) : null,
      hazardOfIdentity(difference),
      ...hazards,
    ],
  );
};

/**
 * PostgreSQL keeps the default as an expression of the old type, with a cast, and refuses where there is none. One that
 * differs is a finding of its own.
 */
function withDefault(difference: Difference<'different-type'>, change: Step, keepsValues: boolean): Step[] {
  const { wanted, found } = difference;
  if (found.expression === null || found.generated) return [change];
  const renewed = wanted.expression === null || wanted.generated ? [] : [setDefault(difference)];
  if (keepsValues) return isSameDefault(wanted, found) ? [change, ...renewed] : [change];
  return [alterColumn(difference, wanted.name, 'drop default', 'DROP DEFAULT'), change, ...renewed];
}

/** A new type comes with its own collation unless one is named, and another one would rebuild the indexes. */
export function collationOf({ collation }: Column): string {
  return collation === null ? '' : ` COLLATE ${collation}`;
}

/** There is no cast from one user's type to another's; text is what all can be written as. */
export function castTo(wanted: string, found: string): string {
  const isUsers = [wanted, found].every((type) => type.includes('.'));
  return isUsers ? `::text${found.endsWith('[]') ? '[]' : ''}::${wanted}` : `::${wanted}`;
}

function hazardOfLoss(difference: Difference<'different-type'>, context: PlanContext): Hazard {
  const { wanted, found } = difference;
  const { serverVersion } = context.actual;
  const misfits = countOfMisfits(tableOf(difference), wanted.name, wanted.type, serverVersion);
  const values = describeMisfits(misfits === null ? undefined : context.count(misfits));
  const detail = `${found.type} is not widened to ${wanted.type} in place: ${values}, and the table is rewritten under an exclusive lock`;
  return { kind: 'data-loss', detail };
}

function describeMisfits(misfits: number | undefined): string {
  if (misfits === undefined) return 'values may be lost or refused';
  return misfits === 0
    ? 'its values fit'
    : `${misfits} ${misfits === 1 ? 'value does' : 'values do'} not fit`;
}

/** The foreign keys of the column are looked at anew, row by row, with both tables locked. */
function hazardOfRewrite(difference: Difference<'different-type'>, context: PlanContext): Hazard | null {
  const table = tableOf(difference);
  const affected = [table, ...tablesBehindForeignKeys(table, difference.wanted.name, context)];
  const large = affected.filter((each) => mayBeLarge(each, context));
  if (context.execution === 'atomic') return null;
  const names = large.map(({ schema, name }) => displayName(schema, name)).join(' and ');
  const detail = `every row is written anew under an exclusive lock, and these are large: ${names}; change it in a quiet hour`;
  return hazardIf(large.length > 0, 'blocks', detail);
}

const IDENTITY_TYPES = ['smallint', 'integer', 'bigint'];

function hazardOfIdentity(difference: Difference<'different-type'>): Hazard | null {
  const { wanted, found } = difference;
  const drop = `alter table ${quoteQualified(tableOf(difference))} alter ${quoteIdentifier(wanted.name)} drop identity`;
  return hazardIf(
    found.identity !== null && !IDENTITY_TYPES.includes(wanted.type),
    'waits',
    `it is an identity, which is a smallint, an integer or a bigint; where the application gives the values by now: ${drop}`,
  );
}

/** What points to a key has to be what PostgreSQL makes of itself the key's type, and a numeric is made no integer. */
function hazardOfForeignKey(
  difference: Difference<'different-type'>,
  { actual }: PlanContext,
): Hazard | null {
  const { wanted } = difference;
  if (wanted.type !== 'numeric') return null;
  const { schema, name } = tableOf(difference);
  const find = (of: QualifiedName): Table | undefined => actual.tables.find((table) => isSameName(table, of));
  const targets = (find({ schema, name })?.constraints ?? []).flatMap(({ references, columns }) => {
    const column = references?.columns[columns.indexOf(wanted.name)];
    const type = references && find(references)?.columns.find((each) => each.name === column)?.type;
    return references && column && type && !type.startsWith('numeric')
      ? [`to ${displayName(references.schema, references.name, column)}, ${type}`]
      : [];
  });
  const detail = `a numeric cannot point to another type, and its foreign key stays (${targets.join('; ')}); drop that by hand, or let both be of one type`;
  return hazardIf(targets.length > 0, 'undecided', detail);
}

/** Also those in schemas that are not looked at, which are the server's to tell. */
export function tablesBehindForeignKeys(
  table: QualifiedName,
  column: string,
  { actual, fact }: PlanContext,
): QualifiedName[] {
  const known = actual.tables.flatMap((each) =>
    each.constraints.flatMap(({ references, columns }): QualifiedName[] => {
      if (!references) return [];
      if (isSameName(references, table) && references.columns.includes(column)) return [onlyName(each)];
      return isSameName(each, table) && columns.includes(column) ? [onlyName(references)] : [];
    }),
  );
  const told = (fact(tablesBehind(table, column)) as QualifiedName[] | undefined) ?? [];
  return [...known, ...told.filter((each) => !known.some((other) => isSameName(other, each)))];
}

/** The sequence of a serial has a type of its own; that of an identity column follows the column. */
function widenSequence(difference: Difference<'different-type'>): Step[] {
  const { wanted, found } = difference;
  if (!found.serial || !wanted.serial || !found.sequence) return [];
  const sql = `ALTER SEQUENCE ${quoteQualified(found.sequence)} AS ${wanted.type}`;
  return [step(difference, 'widen the sequence', sql, 'NONE')];
}
