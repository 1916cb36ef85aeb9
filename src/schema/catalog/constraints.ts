import type { CatalogQuery } from './query.js';
import type { Constraint, ConstraintType } from '../model.js';
import { foreignKeyDefinition, type ForeignKeyAction } from '../foreign-key.js';

export interface ConstraintRow {
  readonly table: number;
  readonly name: string;
  readonly contype: 'p' | 'u' | 'c' | 'x' | 'f';
  /** Null for a foreign key, which is written from its parts. */
  readonly definition: string | null;
  readonly columns: string[];
  readonly convalidated: boolean;
  /** NOT ENFORCED came with PostgreSQL 18. */
  readonly notEnforced: boolean;
  readonly disabled: boolean;
  readonly condeferrable: boolean;
  readonly condeferred: boolean;
  readonly confupdtype: string;
  readonly confdeltype: string;
  readonly referencedSchema: string | null;
  readonly referencedTable: string | null;
  readonly referencedColumns: string[] | null;
}

/** Nearly all constraints are of one column, whose name is had for less. */
const names = (relation: string, numbers: string): string => `case when cardinality(${numbers}) = 1
      then array[(select a.attname::text from pg_attribute a where a.attrelid = ${relation} and a.attnum = ${numbers}[1])]
      else array(
        select a.attname::text from unnest(${numbers}) with ordinality k(number, position)
        join pg_attribute a on a.attrelid = ${relation} and a.attnum = k.number order by k.position) end`;

/** A foreign key on a partitioned table has a child constraint per partition: those with a parent are left out. */
export const constraints: CatalogQuery<ConstraintRow> = {
  sql: `select o.conrelid as table, o.conname as name, o.contype::text, case when o.contype <> 'f' then pg_get_constraintdef(o.oid) end as definition,
    ${names('o.conrelid', 'o.conkey')} as columns,
    o.convalidated and (r.kind = 'r' or o.contype not in ('p', 'u')
      or (select x.indisvalid from pg_index x where x.indexrelid = o.conindid)) as convalidated,
    not o.convalidated and pg_get_constraintdef(o.oid) like '% NOT ENFORCED' as "notEnforced",
    o.contype = 'f' and exists (select from pg_trigger g where g.tgconstraint = o.oid and g.tgenabled = 'D') as disabled,
    o.condeferrable, o.condeferred, o.confupdtype::text, o.confdeltype::text,
    coalesce(fs.alias, fn.nspname) as "referencedSchema", f.relname as "referencedTable",
    case when o.contype = 'f' then ${names('o.confrelid', 'o.confkey')} end as "referencedColumns"
  from relation r
  join pg_constraint o on o.conrelid = r.oid and o.contype in ('p', 'u', 'c', 'x', 'f') and o.conparentid = 0
  left join pg_class f on o.contype = 'f' and f.oid = o.confrelid
  left join pg_namespace fn on fn.oid = f.relnamespace
  left join scope fs on fs.oid = fn.oid
  where r.kind in ('r', 'p')
  order by 1, 2`,
};

const TYPES: Record<ConstraintRow['contype'], ConstraintType> = {
  p: 'primary-key',
  u: 'unique',
  c: 'check',
  x: 'exclusion',
  f: 'foreign-key',
};

const ACTIONS: Record<string, ForeignKeyAction> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

const UNCHECKED = / NOT (VALID|ENFORCED)$/;

export function toConstraint(row: ConstraintRow, rename: (text: string) => string): Constraint {
  const references =
    row.referencedSchema === null || row.referencedTable === null
      ? null
      : { schema: row.referencedSchema, name: row.referencedTable, columns: row.referencedColumns ?? [] };
  return {
    name: row.name,
    type: TYPES[row.contype],
    definition: references
      ? foreignKeyDefinition({
          columns: row.columns,
          references,
          onDelete: ACTIONS[row.confdeltype] ?? 'NO ACTION',
          onUpdate: ACTIONS[row.confupdtype] ?? 'NO ACTION',
          deferrable: row.condeferrable
            ? row.condeferred
              ? 'INITIALLY DEFERRED'
              : 'INITIALLY IMMEDIATE'
            : null,
        })
      : rename((row.definition ?? '').replace(UNCHECKED, '')),
    columns: row.columns,
    validated: row.convalidated,
    // A constraint that is not enforced is not valid either, but VALIDATE would not help.
    enforced: !row.disabled && !row.notEnforced,
    references,
  };
}
