import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Connection } from '../schema/connection.js';
import type { Schema } from '../schema/model.js';
import { renderEntities, type RenderedTable } from './render.js';
import { buildShadow } from './shadow.js';

/** What the entities of a data source ask for. */
export interface Desired {
  /** Equal for equal demands on a server of the same version, whatever order the entities were loaded in. */
  readonly hash: string;
  readonly schema: Schema;
}

/**
 * Reads the desired schema of a data source's entities. Leaves the database as it was.
 *
 * @param schemas where given, tables of other schemas are left out
 * @throws DesiredSchemaError when PostgreSQL does not accept what an entity asks for
 */
export async function readDesiredSchema(
  dataSource: DataSource,
  connection: Connection,
  schemas?: readonly string[],
): Promise<Desired> {
  const rendered = (await renderEntities(dataSource)).filter(
    ({ schema }) => schemas?.includes(schema) ?? true,
  );
  const schema = await buildShadow(connection, rendered);
  return { hash: hashOf(rendered, schema.serverVersion), schema };
}

function hashOf(rendered: readonly RenderedTable[], serverVersion: number): string {
  return createHash('sha256')
    .update(JSON.stringify([serverVersion, rendered]))
    .digest('hex');
}
