import type { Partition, PartitionIndex, QualifiedName } from '../model.js';
import { isWorkedOn, type CatalogQuery } from './query.js';

export interface PartitionRow {
  readonly table: number;
  readonly schema: string;
  readonly name: string;
  readonly relkind: 'r' | 'p' | 'f';
  readonly parent: QualifiedName;
  readonly indexes: PartitionIndex[];
}

/** As in indexes.ts: the definition without its head. */
const head = `length('CREATE INDEX  ON ' || quote_ident(i.relname) ||
      case when x.indisunique then 'UNIQUE ' else '' end ||
      case when p.relkind = 'p' then 'ONLY ' else '' end ||
      quote_ident(n.nspname) || '.' || quote_ident(p.relname) || ' ')`;

/** What is attached to a valid index is done with, and there may be thousands. */
const indexes = `select json_agg(json_build_object('name', i.relname, 'unique', x.indisunique,
        'definition', regexp_replace(substr(pg_get_indexdef(i.oid), 1 + ${head}), ' WITH \\([^)]*\\)(?= WHERE |$)', ''),
        'valid', x.indisvalid and x.indisready and x.indislive,
        'inProgress', not x.indisvalid and p.relkind = 'r' and ${isWorkedOn('p.oid')},
        'behindKey', exists (select from pg_constraint o where o.conindid = i.oid and o.contype in ('p', 'u')),
        'attachedTo', a.relname) order by i.relname)
      from pg_index x
      join pg_class i on i.oid = x.indexrelid
      left join pg_inherits h on h.inhrelid = i.oid
      left join pg_class a on a.oid = h.inhparent
      left join pg_index ax on ax.indexrelid = a.oid
      where x.indrelid = p.oid and (a.oid is null or not ax.indisvalid)`;

/** Partitions at any depth, the outer ones first. */
export const partitions: CatalogQuery<PartitionRow> = {
  sql: `select r.oid as table, n.nspname as schema, p.relname as name, p.relkind::text,
    (select json_build_object('schema', fn.nspname, 'name', f.relname)
      from pg_class f join pg_namespace fn on fn.oid = f.relnamespace where f.oid = t.parentrelid) as parent,
    coalesce((${indexes}), '[]') as indexes
  from relation r
  cross join lateral pg_partition_tree(r.oid) t
  join pg_class p on p.oid = t.relid
  join pg_namespace n on n.oid = p.relnamespace
  where r.kind = 'p' and t.level > 0
  order by 1, t.level, 2, 3`,
};

const KINDS = { r: 'table', p: 'partitioned table', f: 'foreign table' } as const;

export function toPartition({ schema, name, relkind, parent, indexes: found }: PartitionRow): Partition {
  return { schema, name, kind: KINDS[relkind], parent, indexes: found };
}
