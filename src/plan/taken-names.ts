import { quoteIdentifier, quoteLiteral, quoteQualified } from '../schema/identifier.js';
import type { Constraint, QualifiedName } from '../schema/model.js';
import type { Hazard } from './hazard.js';
import { hazardIf, type PlanContext } from './proposal.js';
import type { Question } from './question.js';

/**
 * Tables, indexes, keys and sequences of a schema share its names: one that is wanted may be another table's, such as that
 * of the key of a table that somebody has put aside.
 *
 * @param own the table that is to get it, which may hold it already in another guise; null where it is not there
 */
export function hazardOfNames(
  schema: string,
  names: readonly string[],
  own: QualifiedName | null,
  { fact }: PlanContext,
): Hazard | null {
  if (names.length === 0) return null;
  const holder = fact(holderOf(schema, names, own));
  const detail = `${String(holder)}; rename or drop that`;
  return hazardIf(typeof holder === 'string', 'waits', detail);
}

/** Its name is that of an index, too. */
export function hasIndex({ type }: Constraint): boolean {
  return type === 'primary-key' || type === 'unique' || type === 'exclusion';
}

/** Only one of several: what is to be done is the same. */
function holderOf(schema: string, names: readonly string[], own: QualifiedName | null): Question {
  const isOwn =
    own === null
      ? 'false'
      : `coalesce(x.indrelid = to_regclass(${quoteLiteral(quoteQualified(own))}), false)`;
  return `select format('the name %s is that of %s', c.relname, case
      when x.indrelid is not null then 'an index of ' || x.indrelid::regclass
      when c.relkind = 'S' then 'a sequence' when c.relkind in ('v', 'm') then 'a view'
      when c.relkind = 'c' then 'a type' else 'a table' end)
    from pg_class c left join pg_index x on x.indexrelid = c.oid
    where c.relnamespace = to_regnamespace(${quoteLiteral(quoteIdentifier(schema))})
      and c.relname in (${names.map(quoteLiteral).join(', ')}) and not (${isOwn})
    order by c.relname limit 1`;
}
