import { quoteLiteral } from './identifier.js';

/**
 * A number over the catalog rows that make up schemas. Whoever changes one of these rows writes a new version of it,
 * which has another xmin; so equal fingerprints mean an unchanged schema, at a fraction of the cost of reading it. The
 * opposite is not so: it may change although the schema is the same, and then the schema is read for nothing.
 */
export function fingerprintQuery(schemas: readonly string[]): string {
  return `with namespaces as materialized (
      select oid, xmin, nspname from pg_catalog.pg_namespace where nspname in (${schemas.map(quoteLiteral).join(', ')})
    ), classes as materialized (
      select oid, xmin, relkind, relhasrules from pg_catalog.pg_class
      where relnamespace in (select oid from namespaces)
    ), relations as materialized (
      select oid, relhasrules from classes where relkind in ('r', 'p', 'v', 'm', 'f')
    ), constraints as materialized (
      ${rowsOf('relations', 'pg_constraint', 'conrelid', { seed: 'x.oid::int8', also: 'x.contype' })}
    ), partitions as materialized (
      select tree.relid::oid as oid from classes cross join lateral pg_catalog.pg_partition_tree(classes.oid) tree
      where classes.relkind = 'p' and tree.level > 0
    ), types as materialized (
      select oid, xmin from pg_catalog.pg_type
      where typnamespace in (select oid from namespaces) and typtype in ('d', 'e')
    )
    select pg_catalog.concat_ws('/', pg_catalog.count(*),
      pg_catalog.sum(pg_catalog.hashtextextended(xmin::pg_catalog.text, seed))) as fingerprint
    from (${ROWS.join('\n      union all ')}) rows`;
}

/**
 * The rows of each catalog that a comparison reads. The object's identity seeds the hash, so that two rows that change places
 * are not taken for each other. A changed default writes the column's row anew, too, and an index has a row of its own for
 * any change of its columns. Partitions, and what a foreign key refers to, may be in any schema.
 */
const ROWS: readonly string[] = [
  `select xmin, oid::int8 as seed from namespaces`,
  `select xmin, oid::int8 from classes`,
  `select xmin, oid::int8 from types`,
  `select xmin, seed from constraints`,
  rowsOf('relations', 'pg_attribute', 'attrelid', {
    seed: 'x.attrelid::int8 * 2048 + x.attnum',
    condition: 'x.attnum > 0',
  }),
  rowsOf('types', 'pg_constraint', 'contypid', { seed: 'x.oid::int8' }),
  rowsOf('relations', 'pg_index', 'indrelid', { seed: 'x.indexrelid::int8' }),
  rowsOf(`(select seed::oid as oid from constraints where contype = 'f')`, 'pg_trigger', 'tgconstraint', {
    seed: 'x.oid::int8',
  }),
  rowsOf('(select oid from relations where relhasrules)', 'pg_rewrite', 'ev_class', { seed: 'x.oid::int8' }),
  rowsOf(`(select oid from classes where relkind = 'S')`, 'pg_sequence', 'seqrelid', {
    seed: 'x.seqrelid::int8',
  }),
  rowsOf(`(select oid from classes where relkind = 'S')`, 'pg_depend', 'objid', {
    seed: 'x.objid::int8 * 2048 + x.refobjsubid',
    condition: isOf('classid', 'pg_class'),
  }),
  ...(['relations', 'types'] as const).map((owners) =>
    rowsOf(owners, 'pg_depend', 'objid', {
      seed: 'x.objid::int8',
      condition: `${isOf('classid', owners === 'relations' ? 'pg_class' : 'pg_type')} and x.objsubid = 0 and x.deptype = 'e'`,
    }),
  ),
  rowsOf('relations', 'pg_description', 'objoid', {
    seed: 'x.objoid::int8 * 2048 + x.objsubid',
    condition: isOf('classoid', 'pg_class'),
  }),
  rowsOf('types', 'pg_enum', 'enumtypid', { seed: 'x.oid::int8' }),
  rowsOf('partitions', 'pg_class', 'oid', { seed: 'x.oid::int8' }),
  rowsOf('partitions', 'pg_inherits', 'inhrelid', { seed: 'x.inhrelid::int8' }),
  rowsOf('partitions', 'pg_index', 'indrelid', { seed: 'x.indexrelid::int8' }),
  rowsOf(
    `(select x.indexrelid as oid from partitions join pg_catalog.pg_index x on x.indrelid = partitions.oid)`,
    'pg_inherits',
    'inhrelid',
    { seed: 'x.inhrelid::int8' },
  ),
  `select xmin, oid::int8 from pg_catalog.pg_extension`,
];

/** Which rows of a catalog count, and what they give besides their xmin. */
interface Selection {
  readonly seed: string;
  readonly condition?: string;
  readonly also?: string;
}

/**
 * The rows of a catalog that belong to owners, looked up by its index. OFFSET 0 keeps the planner from reading the catalog
 * whole instead: the schemas may be a small part of the database.
 */
function rowsOf(
  owners: string,
  catalog: string,
  key: string,
  { seed, condition = 'true', also }: Selection,
): string {
  const more = also === undefined ? '' : `, ${also}`;
  return `select found.* from ${owners} owner cross join lateral (
        select x.xmin, ${seed} as seed${more} from pg_catalog.${catalog} x
        where x.${key} = owner.oid and ${condition} offset 0) found`;
}

function isOf(column: string, catalog: string): string {
  return `x.${column} = 'pg_catalog.${catalog}'::pg_catalog.regclass`;
}
