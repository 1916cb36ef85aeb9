import type { CatalogQuery } from './query.js';

export interface NamespaceRow {
  readonly name: string;
  /** As PostgreSQL itself would write it in an expression: quoted only where it must be. */
  readonly quoted: string;
  readonly actual: string;
  readonly mayCreate: boolean;
}

export const namespaces: CatalogQuery<NamespaceRow> = {
  sql: `select alias as name, quote_ident(alias) as quoted, name as actual,
    has_schema_privilege(oid, 'CREATE') as "mayCreate"
  from scope order by alias`,
};
