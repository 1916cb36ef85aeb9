import { displayName } from '../schema/identifier.js';
import type { Column, Table } from '../schema/model.js';
import { describeColumn, describeGeneration } from './describe.js';
import { compareSequence, detachedSequence } from './compare-sequences.js';
import type { Difference } from './drift-kind.js';

/** Columns are matched by name. Their order is no drift: it cannot be changed without a rewrite. */
export function compareColumns(wanted: Table, found: Table, views: readonly Table[]): Difference[] {
  const foundByName = new Map(found.columns.map((column) => [column.name, column]));
  const wantedNames = new Set(wanted.columns.map(({ name }) => name));
  return [
    ...wanted.columns.flatMap((column) => {
      const other = foundByName.get(column.name);
      return other ? compareColumn(found, column, other, views) : [missing(found, column)];
    }),
    ...found.columns.filter(({ name }) => !wantedNames.has(name)).map((column) => extra(found, column)),
  ];
}

function facts(table: Table, column: Column): Pick<Difference, 'object' | 'table'> {
  return { object: displayName(table.schema, table.name, column.name), table };
}

function missing(table: Table, wanted: Column): Difference {
  return {
    kind: 'missing-column',
    ...facts(table, wanted),
    desired: describeColumn(wanted),
    actual: null,
    wanted,
  };
}

/** An extra column is nobody's harm, unless every insert of the application would have to fill it. */
function extra(table: Table, found: Column): Difference {
  const filledByItself = found.expression !== null || found.serial || found.identity !== null;
  const kind = found.notNull && !filledByItself ? 'required-extra-column' : 'extra-column';
  return { kind, ...facts(table, found), desired: null, actual: describeColumn(found), found };
}

/** Nearly all are, so this comes before anything is put into words. */
function isSame(wanted: Column, found: Column): boolean {
  return (
    wanted.type === found.type &&
    wanted.notNull === found.notNull &&
    wanted.expression === found.expression &&
    wanted.serial === found.serial &&
    wanted.identity === found.identity &&
    wanted.generated === found.generated &&
    wanted.collation === found.collation &&
    wanted.comment === found.comment
  );
}

/** A constant is printed with its column's type behind it, or with that which the column had before. */
export function isSameDefault(
  wanted: Pick<Column, 'type' | 'expression'>,
  found: Pick<Column, 'type' | 'expression'>,
): boolean {
  if (wanted.expression === found.expression) return true;
  const casts = [wanted, found].map(({ type }) => `::${type.replace(/\([\d,]+\)/, '')}`);
  const [one, other] = [wanted, found].map(({ expression }) => {
    const cast = casts.find((each) => expression?.endsWith(each)) ?? '';
    return expression?.slice(0, expression.length - cast.length);
  });
  return wanted.type !== found.type && one === other;
}

function compareColumn(table: Table, wanted: Column, found: Column, views: readonly Table[]): Difference[] {
  const ofSequence = compareSequence(table, wanted, found);
  if (isSame(wanted, found)) return ofSequence;
  const named = facts(table, wanted);
  const both = { ...named, wanted, found };
  const differences = ofSequence;
  if (wanted.type !== found.type) {
    differences.push({ kind: 'different-type', ...both, views, desired: wanted.type, actual: found.type });
  }
  if (wanted.collation !== found.collation) {
    const [desired, actual] = [wanted.collation ?? 'default', found.collation ?? 'default'];
    differences.push({ kind: 'different-collation', ...both, desired, actual });
  }
  const [desiredGeneration, actualGeneration] = [describeGeneration(wanted), describeGeneration(found)];
  const detached = detachedSequence(wanted, found);
  if (detached !== null) {
    const [desired, actual] = [`owns ${detached}`, `only takes values from ${detached}`];
    differences.push({ kind: 'detached-sequence', ...named, wanted, sequence: detached, desired, actual });
  } else if (desiredGeneration !== actualGeneration) {
    const [desired, actual] = [desiredGeneration || 'plain', actualGeneration || 'plain'];
    differences.push({ kind: 'different-generation', ...both, desired, actual });
  } else if (!isSameDefault(wanted, found)) {
    const [desired, actual] = [wanted.expression ?? 'none', found.expression ?? 'none'];
    differences.push({ kind: 'different-default', ...both, desired, actual });
  }
  if (wanted.notNull !== found.notNull) {
    const [desired, actual] = [wanted, found].map(({ notNull }) => (notNull ? 'NOT NULL' : 'NULL'));
    differences.push({
      kind: 'different-nullability',
      ...named,
      wanted,
      desired: desired ?? null,
      actual: actual ?? null,
    });
  }
  // A comment that only the database has is extra, and stays.
  if (wanted.comment !== null && wanted.comment !== found.comment) {
    differences.push({
      kind: 'different-comment',
      ...named,
      wanted,
      desired: wanted.comment,
      actual: found.comment,
    });
  }
  return differences;
}
