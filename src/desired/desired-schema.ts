import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { DesiredSchemaError } from '../errors.js';
import { contradictionsIn } from './contradictions.js';
import type { Connection } from '../schema/connection.js';
import { displayName, keyOf } from '../schema/identifier.js';
import type { Note, Schema } from '../schema/model.js';
import { VERSION } from '../version.js';
import { notesWanted } from './notes.js';
import type { RenderedView } from './render-views.js';
import { renderEntities, type Rendered } from './render.js';
import { buildShadow } from './shadow.js';

/** What the entities of a data source ask for. */
export interface Desired {
  /** Equal for equal demands on a server of the same major version, whatever order the entities were loaded in. */
  readonly hash: string;
  readonly schema: Schema;
  /** What TypeORM would write down about it. */
  readonly notes: readonly Note[];
  /** It had to be built, is worth remembering, and has not been remembered yet. */
  readonly isNew: boolean;
  /** What could not be looked at, or not be trusted. */
  readonly warnings: readonly string[];
}

/** Where desired schemas are kept between two starts of the application. */
export interface DesiredSchemaMemory {
  /** Without a schema where there is none, or none that can be trusted: then with a warning. */
  recall(connection: Connection, hash: string): Promise<{ schema?: Schema; warning?: string }>;
}

/** How long to wait for another process that is building its shadow. */
const BUILDER_TIMEOUT_MS = 60_000;
const BUILDER_POLL_MS = 200;

/**
 * Reads the desired schema of a data source's entities: from this process's own memory, from the database's, or from a
 * shadow. Leaves the database as it was.
 */
export class DesiredSchemas {
  private rendered: { readonly entities: unknown; readonly rendered: Promise<Rendering> } | undefined;
  private last: Desired | undefined;

  /** @param schemas where given, tables of other schemas are left out */
  constructor(
    private readonly dataSource: DataSource,
    private readonly memory: DesiredSchemaMemory,
    private readonly schemas: readonly string[] | undefined,
  ) {}

  /** @throws DesiredSchemaError when the role may build no shadow and none is remembered */
  async read(connection: Connection): Promise<Desired> {
    const { rendered, digest, contradictions } = await this.render();
    const hash = hashOf(digest, connection.serverVersion);
    if (this.last?.hash === hash) return this.last;
    const { schema: remembered, warning } = await this.memory.recall(connection, hash);
    const schema = remembered ?? (await this.build(connection, rendered, hash));
    const notes = notesWanted(this.dataSource, rendered.views);
    const left = notBuilt(schema, rendered);
    const isWhole = schema.refused.length === 0 && left.length === 0;
    const desired: Desired = {
      hash,
      schema,
      notes,
      isNew: remembered === undefined && isWhole,
      warnings: [...(warning === undefined ? [] : [warning]), ...left.map(notCompared), ...contradictions],
    };
    // What was refused may be had next time: an extension may have been installed meanwhile.
    this.last = isWhole ? { ...desired, warnings: [] } : undefined;
    return desired;
  }

  /** The schema of a hash, if it was built by this process and not kept yet. */
  toRemember(hash: string): Schema | undefined {
    return this.last?.isNew && this.last.hash === hash ? this.last.schema : undefined;
  }

  remembered(hash: string): void {
    if (this.last?.hash === hash) this.last = { ...this.last, isNew: false };
  }

  /** The metadata of an initialised data source never changes: a new initialisation makes new ones. */
  private render(): Promise<Rendering> {
    const entities = this.dataSource.entityMetadatas;
    if (this.rendered?.entities !== entities) {
      const contradictions = contradictionsIn(this.dataSource);
      const rendered = renderEntities(this.dataSource).then((all) =>
        toRendering(within(all, this.schemas), contradictions),
      );
      this.rendered = { entities, rendered };
      rendered.catch(() => (this.rendered = undefined));
    }
    return this.rendered.rendered;
  }

  private async build(connection: Connection, rendered: Rendered, hash: string): Promise<Schema> {
    const end = Date.now() + BUILDER_TIMEOUT_MS;
    while (Date.now() < end) {
      const schema = await buildShadow(connection, rendered);
      if (schema) return schema;
      await sleep(BUILDER_POLL_MS);
      // The other one may have built the same.
      const { schema: remembered } = await this.memory.recall(connection, hash);
      if (remembered) return remembered;
    }
    throw new DesiredSchemaError(
      undefined,
      `another process has been building its own for ${BUILDER_TIMEOUT_MS / 1000} s; try again`,
    );
  }
}

function within(rendered: Rendered, schemas: readonly string[] | undefined): Rendered {
  if (!schemas) return rendered;
  const isWithin = ({ schema }: { readonly schema: string }): boolean => schemas.includes(schema);
  return {
    extensions: rendered.extensions,
    types: rendered.types.filter(({ table }) => isWithin(table)),
    tables: rendered.tables.filter(isWithin),
    views: rendered.views.filter(isWithin),
    refused: rendered.refused.filter(isWithin),
  };
}

/** No view is built in the temporary schema, which is all that a role has that may create no other. */
function notBuilt({ tables, refused }: Schema, { views }: Rendered): RenderedView[] {
  const known = new Set([...tables, ...refused].map(keyOf));
  return views.filter((view) => !known.has(keyOf(view)));
}

function notCompared({ schema, name, materialized }: RenderedView): string {
  const kind = materialized ? 'materialized view' : 'view';
  return `The ${kind} ${displayName(schema, name)} was not compared: the role needs CREATE on the database for that`;
}

/** What the entities ask for, in TypeORM's words. */
interface Rendering {
  readonly rendered: Rendered;
  /** Made once, as the words of thousands of tables take a while. */
  readonly digest: string;
  readonly contradictions: readonly string[];
}

function toRendering(rendered: Rendered, contradictions: readonly string[]): Rendering {
  return { rendered, digest: sha256([VERSION, rendered]), contradictions };
}

function hashOf(digest: string, serverVersion: number): string {
  const major = Math.floor(serverVersion / 10_000);
  return sha256([major, digest]);
}

function sha256(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
