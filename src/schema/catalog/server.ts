import type { QualifiedName } from '../model.js';
import type { CatalogQuery } from './query.js';

export interface ServerRow {
  readonly version: number;
  readonly extensions: QualifiedName[];
}

export const server: CatalogQuery<ServerRow> = {
  sql: `select current_setting('server_version_num')::int as version,
    (select coalesce(json_agg(json_build_object('schema', extnamespace::regnamespace::text, 'name', extname)), '[]')
      from pg_extension) as extensions`,
};
