import { quoteLiteral } from './identifier.js';

/**
 * A number over the catalog rows that make up schemas. Whoever changes one of these rows writes a new version of it,
 * which has another xmin; so equal fingerprints mean an unchanged schema, at a fraction of the cost of reading it. The
 * opposite is not so: it may change although the schema is the same, and then the schema is read for nothing.
 */
export function fingerprintQuery(schemas: readonly string[]): string {
  const parts = ROWS.map(([rows, seed]) => `select ${hash('r.xmin', seed)} as h from ${rows}`);
  return `with s as materialized (
      select oid, xmin, nspname from pg_catalog.pg_namespace where nspname in (${schemas.map(quoteLiteral).join(', ')})
    ), c as materialized (
      select oid, xmin, relkind from pg_catalog.pg_class where relnamespace in (select oid from s)
    ), t as materialized (
      select oid, xmin from pg_catalog.pg_type where typnamespace in (select oid from s) and typtype in ('d', 'e')
    )
    select pg_catalog.concat_ws('/', pg_catalog.count(*), pg_catalog.sum(h)) as fingerprint
    from (${parts.join('\n      union all ')}) rows`;
}

/** The object's identity seeds the hash, so that two rows that change places are not taken for each other. */
function hash(xmin: string, seed: string): string {
  return `pg_catalog.hashtextextended(${xmin}::pg_catalog.text, ${seed})`;
}

/** Each catalog that a comparison reads, with what tells its rows apart. */
const ROWS: readonly (readonly [rows: string, seed: string])[] = [
  ['s r', 'r.oid::int8'],
  ['c r', 'r.oid::int8'],
  ['t r', 'r.oid::int8'],
  // A changed default writes the column's row anew, too, and an index has a row of its own for any change of its columns.
  [
    `c join pg_catalog.pg_attribute r on c.relkind not in ('i', 'I', 'S') and r.attrelid = c.oid and r.attnum > 0`,
    'r.attrelid::int8 * 2048 + r.attnum',
  ],
  ['s join pg_catalog.pg_constraint r on r.connamespace = s.oid', 'r.oid::int8'],
  ['c join pg_catalog.pg_index r on r.indrelid = c.oid', 'r.indexrelid::int8'],
  ['c join pg_catalog.pg_trigger r on r.tgrelid = c.oid', 'r.oid::int8'],
  ['c join pg_catalog.pg_rewrite r on r.ev_class = c.oid', 'r.oid::int8'],
  ['c join pg_catalog.pg_sequence r on r.seqrelid = c.oid', 'r.seqrelid::int8'],
  [
    `c join pg_catalog.pg_depend r on c.relkind = 'S' and r.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and r.objid = c.oid`,
    'r.objid::int8 * 2048 + r.refobjsubid',
  ],
  [
    `c join pg_catalog.pg_description r on r.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and r.objoid = c.oid`,
    'r.objoid::int8 * 2048 + r.objsubid',
  ],
  ['t join pg_catalog.pg_enum r on r.enumtypid = t.oid', 'r.oid::int8'],
  ['pg_catalog.pg_extension r', 'r.oid::int8'],
];
