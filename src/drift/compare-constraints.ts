import { displayName } from '../schema/identifier.js';
import { canStandBehind } from '../schema/key.js';
import type { Constraint, Index, Table } from '../schema/model.js';
import { isTemporaryCheck } from '../schema/temporary-names.js';
import type { Difference } from './drift-kind.js';
import { matchByMeaning } from './match.js';

/** @param spares indexes that no entity asks for; those that a missing key can have are taken out */
export function compareConstraints(wanted: Table, found: Table, spares: Set<Index>): Difference[] {
  const matched = matchByMeaning(wanted.constraints, found.constraints, ({ definition }) => definition);
  const leftOver = new Set(matched.found);
  const differences = matched.same.flatMap((pair) => comparePair(found, pair.wanted, pair.found));
  for (const constraint of matched.wanted) {
    const rival = [...leftOver].find((other) => replaces(constraint, other));
    if (rival) leftOver.delete(rival);
    const spare = takeSpare(constraint, spares);
    differences.push(rival ? different(found, constraint, rival, spare) : missing(found, constraint, spare));
  }
  return [...differences, ...[...leftOver].map((constraint) => extra(found, constraint))];
}

function takeSpare(constraint: Constraint, spares: Set<Index>): Index | null {
  const spare = [...spares].find((index) => canStandBehind(index, constraint)) ?? null;
  if (spare) spares.delete(spare);
  return spare;
}

/** A table has one primary key; of other constraints only the name tells that one stands where another should. */
function replaces(wanted: Constraint, found: Constraint): boolean {
  return wanted.name === found.name || (wanted.type === 'primary-key' && found.type === 'primary-key');
}

function facts(table: Table, { name }: Constraint): Pick<Difference, 'object' | 'table'> {
  return { object: displayName(table.schema, table.name, name), table };
}

function comparePair(table: Table, wanted: Constraint, found: Constraint): Difference[] {
  if (found.validated && found.enforced && wanted.name === found.name) return [];
  const differences: Difference[] = [];
  const named = facts(table, found);
  if (!found.enforced) {
    const actual = `${found.definition}, not enforced`;
    differences.push({ kind: 'disabled-constraint', ...named, desired: wanted.definition, actual, found });
  } else if (!found.validated) {
    const actual = `${found.definition} NOT VALID`;
    differences.push({ kind: 'unvalidated-constraint', ...named, desired: wanted.definition, actual, found });
  }
  if (wanted.name !== found.name) {
    const [desired, actual] = [wanted.name, found.name];
    differences.push({
      kind: 'named-differently',
      ...named,
      desired,
      actual,
      is: 'constraint',
      wanted: desired,
      found: actual,
    });
  }
  return differences;
}

function missing(table: Table, wanted: Constraint, spare: Index | null): Difference {
  return {
    kind: 'missing-constraint',
    ...facts(table, wanted),
    desired: wanted.definition,
    actual: null,
    wanted,
    spare,
  };
}

function different(table: Table, wanted: Constraint, found: Constraint, spare: Index | null): Difference {
  const [desired, actual] = [wanted.definition, found.definition];
  return { kind: 'different-constraint', ...facts(table, wanted), desired, actual, wanted, found, spare };
}

function extra(table: Table, found: Constraint): Difference {
  const kind = isTemporaryCheck(found.name) ? 'leftover-constraint' : 'extra-constraint';
  return { kind, ...facts(table, found), desired: null, actual: found.definition, found };
}
