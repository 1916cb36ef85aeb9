import type { Difference } from '../drift/drift-kind.js';
import { displayName, isSameName, quoteIdentifier } from '../schema/identifier.js';
import { mentions, namesRelation, namesType, readsColumn, withCaseFolded } from '../schema/identifiers-in.js';
import type { Constraint, Enum, Index, QualifiedName, Schema, Table } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { foreignKeysOf, textsOf } from './made-of.js';
import { hazardOfWaiting, isRename, type Rename } from './presumed.js';
import type { Proposal, Settled } from './proposal.js';

/** A difference and what is proposed to do about it. */
export interface Planned {
  readonly difference: Difference;
  readonly proposal: Proposal | Settled;
}

/**
 * What builds on something that stays open would fail, or would have to be done again: a default on its column's type, a
 * foreign key on the key that it points to. So it waits, and says for what.
 */
export function withWaiting(planned: readonly Planned[], actual: Schema): Planned[] {
  let all = [...planned];
  let open = all.filter(isOpen);
  // What waits is itself something that others may build on.
  while (open.length > 0) {
    const blockers = open;
    const known = new Set(all);
    all = all.flatMap((each) => (isOpen(each) ? [each] : waiting(each, blockers, actual)));
    open = all.filter((each) => isOpen(each) && !known.has(each));
  }
  return all;
}

export function isOpen({ proposal }: Planned): boolean {
  return typeof proposal !== 'string' && proposal.hazards.length > 0;
}

function waiting(planned: Planned, blockers: readonly Planned[], actual: Schema): Planned[] {
  const { difference, proposal } = planned;
  if (typeof proposal === 'string') return [planned];
  const blocker = blockers.find((each) => waitsFor(difference, each.difference, actual));
  if (blocker)
    return [{ difference, proposal: { ...proposal, hazards: [waitingFor(blocker, difference.object)] } }];
  return difference.kind === 'missing-table'
    ? withoutForeignKeys(difference, proposal, blockers, actual)
    : [planned];
}

function waitingFor({ difference, proposal }: Planned, object: string): Hazard {
  if (isRename(difference) && typeof proposal !== 'string')
    return hazardOfWaiting(difference, proposal.hazards);
  if (difference.kind === 'undo')
    return { kind: 'waits', detail: `${difference.object} is to be taken back before it, and stays open` };
  const isOfTheSame = difference.kind === 'different-type' && difference.object === object;
  const open = isOfTheSame ? `the type ${difference.wanted.type}` : difference.object;
  return { kind: 'waits', detail: `it builds on ${open}, which stays open` };
}

/** A new table need not wait for what only its foreign keys need: they become findings of their own. */
function withoutForeignKeys(
  difference: Difference<'missing-table'>,
  proposal: Proposal,
  blockers: readonly Planned[],
  actual: Schema,
): Planned[] {
  const { table, wanted } = difference;
  const waitingKeys = wanted.constraints.flatMap((constraint): Planned[] => {
    const object = displayName(wanted.schema, wanted.name, constraint.name);
    const facts = { object, table, desired: constraint.definition, actual: null, spare: null };
    const key: Difference = { kind: 'missing-constraint', ...facts, wanted: constraint };
    const blocker = constraint.references && blockers.find((each) => waitsFor(key, each.difference, actual));
    const units = proposal.units.filter(({ steps }) => steps.some((step) => step.object === object));
    return blocker ? [{ difference: key, proposal: { units, hazards: [waitingFor(blocker, object)] } }] : [];
  });
  const objects = new Set(waitingKeys.map((each) => each.difference.object));
  const units = proposal.units.filter(({ steps }) => !steps.some(({ object }) => objects.has(object)));
  const constraints = wanted.constraints.filter(
    ({ name }) => !objects.has(displayName(wanted.schema, wanted.name, name)),
  );
  return [
    { difference: { ...difference, wanted: { ...wanted, constraints } }, proposal: { ...proposal, units } },
    ...waitingKeys,
  ];
}

function waitsFor(difference: Difference, blocker: Difference, actual: Schema): boolean {
  switch (blocker.kind) {
    case 'missing-schema':
      return 'wanted' in difference && isIn(difference.wanted, blocker.wanted);
    case 'missing-enum':
    case 'different-enum':
      return usesEnum(difference, blocker.wanted, 'found' in blocker ? blocker.found : null);
    case 'missing-table':
    case 'refused-entity':
    case 'different-relation':
      return usesTable(difference, blocker, actual);
    case 'renamed-table':
    case 'renamed-column':
      return pointsTo(difference, blocker);
    case 'undo':
      return difference.kind === 'undo' && difference.needs.includes(blocker.request);
    case 'missing-view':
      return (
        usesTable(difference, blocker, actual) ||
        isIndexOf(difference, blocker) ||
        isNoteOf(difference, blocker)
      );
    case 'different-view':
      return isIndexOf(difference, blocker) || isNoteOf(difference, blocker);
    case 'unfilled-column':
      // Its rows are to have values before.
      return difference.kind === 'different-nullability' && difference.object === blocker.object;
    case 'missing-column':
    case 'different-type':
      return usesColumn(difference, blocker, actual);
    case 'missing-constraint':
    case 'different-constraint':
    case 'missing-index':
    case 'different-index':
    case 'invalid-index':
      return usesKey(difference, blocker, actual);
    default:
      return false;
  }
}

function isIn(wanted: unknown, schema: string): boolean {
  return typeof wanted === 'object' && wanted !== null && 'schema' in wanted && wanted.schema === schema;
}

/** A type that is not there cannot be used at all; one that lacks values, wherever one of them stands. */
function usesEnum(difference: Difference, wanted: Enum, found: Enum | null): boolean {
  const values = wanted.values.filter((value) => !found?.values.includes(value));
  return textsOf(difference).some(
    (text) =>
      namesType(text, wanted.name) &&
      (found === null || values.some((value) => text.includes(value.replaceAll("'", "''")))),
  );
}

function usesTable(difference: Difference, { table }: Difference, actual: Schema): boolean {
  const isThere = actual.tables.some((each) => table && isSameName(each, table));
  if (!table || isThere) return false;
  return (
    foreignKeysOf(difference).some(
      ({ references }) => references !== null && isSameName(references, table),
    ) || isViewOf(difference, table)
  );
}

function usesColumn(
  difference: Difference,
  blocker: Difference<'missing-column' | 'different-type'>,
  actual: Schema,
): boolean {
  const { table, wanted, kind } = blocker;
  if (!table) return false;
  const { name } = wanted;
  if (difference.kind === 'missing-note') return kind === 'missing-column' && isNoteOf(difference, blocker);
  if (difference.kind === 'unfilled-column')
    return kind === 'missing-column' && isFilledFrom(difference, table, name);
  if (foreignKeysOf(difference).length > 0) return foreignKeysOf(difference).some(isHeldUp);
  if (isViewOf(difference, table)) return textsOf(difference).some((text) => mentions(text, name));
  if (!difference.table || !isSameName(difference.table, table)) return false;
  // A key is the same text with any type that can be sorted.
  const isKeyable = kind === 'different-type' && !UNSORTABLE.test(blocker.found.type);
  switch (difference.kind) {
    case 'different-default':
      // None is none of any type.
      return difference.wanted.name === name && difference.wanted.expression !== null;
    // What a column that is not added yet has besides.
    case 'different-nullability':
    case 'different-generation':
      return kind === 'missing-column' && difference.wanted.name === name;
    case 'missing-constraint':
    case 'different-constraint':
      return readsPart(difference.wanted, name) && !(isKeyable && isKey(difference.wanted));
    case 'missing-index':
    case 'different-index':
    case 'invalid-index':
      return (
        readsColumn(difference.wanted.definition, name, null) && !(isKeyable && isPlain(difference.wanted))
      );
    case 'missing-column':
      return readsColumn(difference.wanted.expression ?? '', name, null);
    default:
      return false;
  }

  /** Where both sides have the wrong type, but the same one, they can be linked all the same. */
  function isHeldUp({ columns, references }: Constraint): boolean {
    if (!table || !references || !difference.table) return false;
    const child = difference.table;
    return columns.some((column, i) => {
      const target = references.columns[i] ?? '';
      const isOf =
        (isSameName(child, table) && column === name) || (isSameName(references, table) && target === name);
      if (!isOf) return false;
      const types = [typeOf(actual, child, column), typeOf(actual, references, target)];
      return types[0] === undefined || types[0] !== types[1];
    });
  }
}

/** A fill needs its column, and what its expression reads, which may be of another table. */
function isFilledFrom(
  { fill, table }: Difference<'unfilled-column'>,
  of: QualifiedName,
  column: string,
): boolean {
  // The application's own words, not PostgreSQL's.
  const text = withCaseFolded(`${fill.expression ?? ''} ${fill.where ?? ''}`);
  if (table !== null && isSameName(table, of))
    return fill.column === column || readsColumn(text, column, of.name);
  return mentions(text, of.name) && readsColumn(text, column, null);
}

/** An exclusion may read columns by expressions alone. */
function readsPart({ type, columns, definition }: Constraint, column: string): boolean {
  return columns.includes(column) || (type === 'exclusion' && readsColumn(definition, column, null));
}

/** PostgreSQL has no order for them, and so no keys of theirs. */
const UNSORTABLE = /^(json|xml|point|line|lseg|box|path|polygon|circle)(\[\])?$/;

function isPlain({ definition, predicate }: Index): boolean {
  return predicate === null && definition.startsWith('USING btree ');
}

function typeOf({ tables }: Schema, table: QualifiedName, column: string): string | undefined {
  return tables.find((each) => isSameName(each, table))?.columns.find(({ name }) => name === column)?.type;
}

/** Other texts say by themselves which renames they presume; the foreign keys of a new table are in none of its own. */
function pointsTo(difference: Difference, rename: Rename): boolean {
  return foreignKeysOf(difference).some(({ references }) => {
    if (!references || references.schema !== rename.table?.schema) return false;
    return rename.kind === 'renamed-table'
      ? references.name === rename.to
      : references.name === rename.table.name && references.columns.includes(rename.to);
  });
}

/** A materialized view's index may be of columns that it is still to get. */
function isIndexOf({ kind, table }: Difference, view: Difference): boolean {
  const isIndex = kind === 'missing-index' || kind === 'different-index' || kind === 'invalid-index';
  return isIndex && table !== null && view.table !== null && isSameName(table, view.table);
}

/** TypeORM's own of a view. */
function isNoteOf(difference: Difference, view: Difference): boolean {
  return difference.kind === 'missing-note' && difference.object === view.object;
}

type KeyDifference = Difference<
  'missing-constraint' | 'different-constraint' | 'missing-index' | 'different-index' | 'invalid-index'
>;

/** Another key over the same columns would do. */
function usesKey(difference: Difference, { table, wanted }: KeyDifference, actual: Schema): boolean {
  if (!table || ('type' in wanted ? !isKey(wanted) : !wanted.unique)) return false;
  const target = actual.tables.find((each) => isSameName(each, table));
  return foreignKeysOf(difference).some(
    ({ references }) =>
      references !== null && isSameName(references, table) && !(target && hasKey(target, references.columns)),
  );
}

function isKey({ type }: Constraint): boolean {
  return type === 'primary-key' || type === 'unique';
}

function hasKey({ constraints, indexes }: Table, columns: readonly string[]): boolean {
  const [names, printed] = [columns, columns.map(quoteIdentifier)].map((each) => each.toSorted().join());
  return (
    constraints.some((each) => isKey(each) && each.columns.toSorted().join() === names) ||
    indexes.some(({ unique, predicate, uniqueKeys }) => {
      const keys = uniqueKeys.map((key) => (key.startsWith('"') ? key : quoteIdentifier(key)));
      return unique && predicate === null && keys.toSorted().join() === printed;
    })
  );
}

function isViewOf(difference: Difference, relation: QualifiedName): boolean {
  const isView = difference.kind === 'missing-view' || difference.kind === 'different-view';
  return isView && textsOf(difference).some((text) => namesRelation(text, relation));
}
