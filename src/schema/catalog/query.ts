/**
 * One kind of object in the catalog: a query over the namespaces of the relation `scope`. All kinds' queries go to the
 * server in one message, so the order of the table of kinds is the order of the results.
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
