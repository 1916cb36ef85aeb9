import type { CatalogQuery } from './query.js';

export interface ServerRow {
  readonly version: number;
}

export const server: CatalogQuery<ServerRow> = {
  sql: `select current_setting('server_version_num')::int as version`,
};
