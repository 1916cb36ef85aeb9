import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Connection } from '../schema/connection.js';
import type { Note, Schema } from '../schema/model.js';
import { notesWanted } from './notes.js';
import { renderEntities, type Rendered } from './render.js';
import { buildShadow } from './shadow.js';

/** What the entities of a data source ask for. */
export interface Desired {
  /** Equal for equal demands on a server of the same version, whatever order the entities were loaded in. */
  readonly hash: string;
  readonly schema: Schema;
  /** What TypeORM would write down about it. */
  readonly notes: readonly Note[];
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
  const rendered = within(await renderEntities(dataSource), schemas);
  const schema = await buildShadow(connection, rendered);
  const notes = notesWanted(dataSource, rendered.views);
  return { hash: hashOf(rendered, schema.serverVersion), schema, notes };
}

function within({ tables, views }: Rendered, schemas: readonly string[] | undefined): Rendered {
  if (!schemas) return { tables, views };
  const isWithin = ({ schema }: { readonly schema: string }): boolean => schemas.includes(schema);
  return { tables: tables.filter(isWithin), views: views.filter(isWithin) };
}

function hashOf(rendered: Rendered, serverVersion: number): string {
  return createHash('sha256')
    .update(JSON.stringify([serverVersion, rendered]))
    .digest('hex');
}
