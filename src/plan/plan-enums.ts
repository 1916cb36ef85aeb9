import { quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Enum } from '../schema/model.js';
import { needsCreate, needsOwnership } from './privileges.js';
import { hazardIf, propose, type Planner } from './proposal.js';
import { step } from './statements.js';
import { loneUnit, unit } from './step.js';

export const planMissingEnum: Planner<'missing-enum'> = (difference, context) => {
  const { wanted } = difference;
  const values = wanted.values.map(quoteLiteral).join(', ');
  const sql = `CREATE TYPE ${quoteQualified(wanted)} AS ENUM (${values})`;
  return propose(
    [unit('type', step(difference, 'create type', sql, 'NONE'))],
    [needsCreate(wanted.schema, context)],
  );
};

/** Values can be added where they belong; taking one away or moving it would rewrite every column of the type. */
export const planDifferentEnum: Planner<'different-enum'> = (difference) => {
  const { wanted, found } = difference;
  const kept = wanted.values.filter((value) => found.values.includes(value));
  const keepsAll = kept.join('\0') === found.values.join('\0');
  const detail =
    'values would be taken away or moved, which rewrites every column of the type; change it by hand';
  // A new value must be committed before it is used, as a default say: even when all else is one transaction.
  const units = keepsAll
    ? additions(wanted, found).map((sql) => loneUnit('type', step(difference, 'add value', sql, 'NONE')))
    : [];
  return propose(units, [needsOwnership(found, found.owned), hazardIf(!keepsAll, 'data-loss', detail)]);
};

function additions(wanted: Enum, found: Enum): string[] {
  return wanted.values.flatMap((value, i) => {
    if (found.values.includes(value)) return [];
    const previous = wanted.values[i - 1];
    const next = found.values[0];
    // Everything before this value is there by the time it is added.
    const place =
      previous !== undefined
        ? ` AFTER ${quoteLiteral(previous)}`
        : next === undefined
          ? ''
          : ` BEFORE ${quoteLiteral(next)}`;
    return [`ALTER TYPE ${quoteQualified(wanted)} ADD VALUE ${quoteLiteral(value)}${place}`];
  });
}
