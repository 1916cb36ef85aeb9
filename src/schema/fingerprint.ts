import { quoteLiteral } from './identifier.js';

/**
 * A number over the catalog rows that make up schemas. Whoever changes one of these rows writes a new version of it,
 * which has another xmin; so equal fingerprints mean an unchanged schema, at a fraction of the cost of reading it. The
 * opposite is not so: it may change although the schema is the same, and then the schema is read for nothing.
 */
export function fingerprintQuery(schemas: readonly string[]): string {
  return `with s as materialized (
      select oid, xmin, nspname from pg_catalog.pg_namespace where nspname in (${schemas.map(quoteLiteral).join(', ')})
    ), c as materialized (
      select oid, xmin, relkind, relhasindex, relhastriggers, relhasrules from pg_catalog.pg_class where relnamespace in (select oid from s)
    ), r as materialized (
      select oid, relhasindex, relhastriggers, relhasrules from c where relkind in ('r', 'p', 'v', 'm', 'f')
    ), t as materialized (
      select oid, xmin from pg_catalog.pg_type where typnamespace in (select oid from s) and typtype in ('d', 'e')
    )
    select pg_catalog.concat_ws('/', pg_catalog.count(*),
      pg_catalog.sum(pg_catalog.hashtextextended(xmin::pg_catalog.text, seed))) as fingerprint
    from (${ROWS.join('\n      union all ')}) rows`;
}

/**
 * The rows of each catalog that a comparison reads. The object's identity seeds the hash, so that two rows that change places
 * are not taken for each other. A changed default writes the column's row anew, too, and an index has a row of its own for
 * any change of its columns.
 */
const ROWS: readonly string[] = [
  `select xmin, oid::int8 as seed from s`,
  `select xmin, oid::int8 from c`,
  `select xmin, oid::int8 from t`,
  rowsOf('r', 'pg_attribute', 'attrelid', 'x.attrelid::int8 * 2048 + x.attnum', 'x.attnum > 0'),
  rowsOf('r', 'pg_constraint', 'conrelid', 'x.oid::int8'),
  rowsOf('t', 'pg_constraint', 'contypid', 'x.oid::int8'),
  rowsOf('(select oid from r where relhasindex)', 'pg_index', 'indrelid', 'x.indexrelid::int8'),
  rowsOf('(select oid from r where relhastriggers)', 'pg_trigger', 'tgrelid', 'x.oid::int8'),
  rowsOf('(select oid from r where relhasrules)', 'pg_rewrite', 'ev_class', 'x.oid::int8'),
  rowsOf(`(select oid from c where relkind = 'S')`, 'pg_sequence', 'seqrelid', 'x.seqrelid::int8'),
  rowsOf(
    `(select oid from c where relkind = 'S')`,
    'pg_depend',
    'objid',
    'x.objid::int8 * 2048 + x.refobjsubid',
    isOfRelation('classid'),
  ),
  rowsOf('r', 'pg_description', 'objoid', 'x.objoid::int8 * 2048 + x.objsubid', isOfRelation('classoid')),
  rowsOf('t', 'pg_enum', 'enumtypid', 'x.oid::int8'),
  `select xmin, oid::int8 from pg_catalog.pg_extension`,
];

/**
 * The rows of a catalog that belong to owners, looked up by its index. OFFSET 0 keeps the planner from reading the catalog
 * whole instead: the schemas may be a small part of the database.
 */
function rowsOf(owners: string, catalog: string, key: string, seed: string, condition = 'true'): string {
  return `select found.xmin, found.seed from ${owners} owner cross join lateral (
        select x.xmin, ${seed} as seed from pg_catalog.${catalog} x
        where x.${key} = owner.oid and ${condition} offset 0) found`;
}

function isOfRelation(column: string): string {
  return `x.${column} = 'pg_catalog.pg_class'::pg_catalog.regclass`;
}
