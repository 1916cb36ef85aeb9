/**
 * One kind of object in the catalog: a query over `scope`, the namespaces, and `relation`, what of tables
 * and views is in them (see read-schema.ts). All kinds' queries go to the server in one message, so the order of the table of kinds is the order of the results.
 */
export interface CatalogQuery<Row> {
  readonly sql: string;
  /** Only for the compiler: what a row of the answer is. */
  readonly row?: Row;
}

/** Excludes what an extension brought along: it is the extension's business. */
export const notFromExtension = (catalog: 'pg_class' | 'pg_type', oid: string): string => `not exists (
    select from pg_depend d
    where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.objsubid = 0 and d.deptype = 'e')`;

/**
 * Whether somebody else holds the lock on a table under which indexes are built concurrently. A REINDEX CONCURRENTLY
 * reports its progress for one of the table's indexes at a time, which may be the one of its TOAST table; and of other
 * roles' sessions the progress is hidden. VACUUM and ANALYZE hold the same lock.
 */
export const isWorkedOn = (relation: string): string => `${relation} in (
      select l.relation from pg_locks l
      where l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
        and l.database = (select oid from pg_database where datname = current_database())
        and l.pid not in (select pid from pg_stat_progress_vacuum union all select pid from pg_stat_progress_analyze))`;
