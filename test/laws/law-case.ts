import type { DataSourceOptions, EntitySchema } from 'typeorm';
import type { Since } from '../setup/versions.js';

/** A set of entities that both laws must hold for. */
export interface LawCase {
  readonly title: string;
  /** What the entities need to be possible at all. */
  readonly since?: Since;
  /** What the server must have on its disk for them. */
  readonly extension?: string;
  /** SQL that must have run before: schemas, domains, extensions. */
  readonly setup?: string;
  /** Made anew for each data source, as building metadata changes what decorators left behind. */
  readonly entities: () => (EntitySchema | (new () => object))[];
  readonly options?: Partial<Omit<Extract<DataSourceOptions, { type: 'postgres' }>, 'type'>>;
  /** What TypeORM's own log() goes on wanting on what TypeORM itself made: its flaws, not ours. */
  readonly typeormNeverRests?: string;
}
