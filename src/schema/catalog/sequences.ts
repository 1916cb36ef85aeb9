import type { CatalogQuery } from './query.js';
import type { Sequence } from '../model.js';

export interface SequenceRow extends Sequence {
  readonly table: number;
  readonly column: string;
}

const LARGEST = `case c.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647
      else 9223372036854775807 end`;

const COUNTINGS = ['vacuum', 'autovacuum', 'analyze', 'autoanalyze']
  .map((kind) => `pg_stat_get_${kind}_count(t.oid)`)
  .join(' + ');

/**
 * Not of tables that are known to be empty. Their size would tell, but for pg_relation_size a table must be opened, and
 * this would wait for whoever has it for himself alone. They were empty when they were counted (reltuples is -1 before),
 * and no row was inserted since, as far back as the statistics go: a crash or a failover loses them.
 */
const mayHoldRows = `(t.pages > 0 or t.tuples < 0 or pg_stat_get_tuples_inserted(t.oid) > 0 or ${COUNTINGS} = 0)`;

/**
 * The sequences that fill columns, of tables that hold anything, which those of a shadow do not. Only where the column leads an index, so that its
 * maximum can be had at once, and where the role may read both.
 */
export const sequences: CatalogQuery<SequenceRow> = {
  sql: `select c.attrelid as table, c.attname as column, n.nspname as schema, r.relname as name,
    coalesce(pg_sequence_last_value(q.seqrelid) + q.seqincrement, q.seqstart)::text as next,
    q.seqincrement::text as increment, least(q.seqmax, ${LARGEST})::text as limit, null as maximum
  from relation t
  join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
    and d.classid = 'pg_class'::regclass and d.objsubid = 0 and d.deptype in ('a', 'i')
  join pg_attribute c on c.attrelid = t.oid and c.attnum = d.refobjsubid
  join pg_sequence q on q.seqrelid = d.objid and q.seqincrement > 0 and not q.seqcycle
  join pg_class r on r.oid = q.seqrelid
  join pg_namespace n on n.oid = r.relnamespace
  where t.actual = t.schema and (t.kind = 'p' or t.kind = 'r' and ${mayHoldRows})
    and exists (
      select from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = t.oid and x.indkey[0] = c.attnum and x.indisvalid and x.indpred is null
        and i.relam = (select oid from pg_am where amname = 'btree'))
    and has_sequence_privilege(q.seqrelid, 'SELECT') and has_column_privilege(t.oid, c.attnum, 'SELECT')`,
};
