// The little of the peers' APIs that the bench uses. Their own types are there only once they are installed.
import type { Pool } from 'pg';

export interface MikroOrm {
  readonly MikroORM: {
    init(options: object): Promise<{
      readonly schema: { getUpdateSchemaSQL(options: { schema: string; wrap: boolean }): Promise<string> };
      close(): Promise<void>;
    }>;
  };
  readonly EntitySchema: new (options: object) => object;
}

export interface DrizzleKit {
  pushSchema(
    this: void,
    tables: Record<string, unknown>,
    database: object,
    schemas: string[],
  ): Promise<{ readonly statementsToExecute: readonly string[] }>;
}

export interface Drizzle {
  drizzle(this: void, pool: Pool): object;
}

/** A column, while it is put together. */
export interface DrizzleColumn {
  notNull(): DrizzleColumn;
  default(value: unknown): DrizzleColumn;
  primaryKey(): DrizzleColumn;
}

type ColumnMaker = (name: string, options?: object) => DrizzleColumn;
interface IndexMaker {
  on(...columns: unknown[]): unknown;
}

export interface DrizzlePostgres {
  pgTable(
    name: string,
    columns: Record<string, DrizzleColumn>,
    extras: (table: Record<string, unknown>) => unknown[],
  ): Record<string, unknown>;
  index(name: string): IndexMaker;
  uniqueIndex(name: string): IndexMaker;
  foreignKey(options: { name: string; columns: unknown[]; foreignColumns: unknown[] }): unknown;
  readonly serial: ColumnMaker;
  readonly integer: ColumnMaker;
  readonly smallint: ColumnMaker;
  readonly bigint: ColumnMaker;
  readonly varchar: ColumnMaker;
  readonly text: ColumnMaker;
  readonly numeric: ColumnMaker;
  readonly doublePrecision: ColumnMaker;
  readonly boolean: ColumnMaker;
  readonly jsonb: ColumnMaker;
  readonly uuid: ColumnMaker;
  readonly timestamp: ColumnMaker;
  readonly date: ColumnMaker;
}

export interface DrizzleSql {
  readonly sql: { raw(text: string): unknown };
}

export interface Peers {
  '@mikro-orm/postgresql': MikroOrm;
  'drizzle-kit/api': DrizzleKit;
  'drizzle-orm': DrizzleSql;
  'drizzle-orm/node-postgres': Drizzle;
  'drizzle-orm/pg-core': DrizzlePostgres;
}
