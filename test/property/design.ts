import type { TypeName } from './column-types.js';

/** What entities are made of in these tests: plain data that prints, shrinks and is changed easily. */
export interface Design {
  readonly tables: readonly TableDesign[];
  readonly views: readonly ViewDesign[];
  /** The values of enums that several columns may share. */
  readonly enums: Readonly<Record<SharedEnum, readonly string[]>>;
}

export const SCHEMAS = ['public', 'sales'] as const;
export type SchemaName = (typeof SCHEMAS)[number];

export const SHARED_ENUMS = ['level', 'Mood'] as const;
export type SharedEnum = (typeof SHARED_ENUMS)[number];

export interface TableDesign {
  readonly schema: SchemaName;
  readonly name: string;
  readonly comment: string | null;
  readonly columns: readonly ColumnDesign[];
  /** Of the primary key; null where TypeORM is to name it. */
  readonly keyName: string | null;
  readonly uniques: readonly UniqueDesign[];
  readonly indexes: readonly IndexDesign[];
  readonly checks: readonly CheckDesign[];
  readonly foreignKeys: readonly ForeignKeyDesign[];
}

export type Generated = 'increment' | 'uuid' | 'identity always' | 'identity by default';

export interface ColumnDesign {
  readonly name: string;
  readonly type: TypeName | 'enum';
  readonly array: boolean;
  /** Of an enum: its own values, or those of a shared one. */
  readonly values: readonly string[] | SharedEnum;
  readonly primary: boolean;
  readonly nullable: boolean;
  /** Which of its type's defaults. */
  readonly default: number | null;
  readonly generated: Generated | null;
  /** A stored generated column: of another column, or of constants alone. */
  readonly stored: { readonly of: string | null } | null;
  readonly collation: string | null;
  readonly comment: string | null;
}

export interface UniqueDesign {
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly deferrable: 'INITIALLY DEFERRED' | 'INITIALLY IMMEDIATE' | null;
}

/** A condition on one column; which one of its type's. */
export interface Condition {
  readonly column: string;
  readonly form: number;
}

export interface IndexDesign {
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly unique: boolean;
  readonly where: Condition | null;
  readonly method: 'btree' | 'hash' | 'brin' | 'gin' | 'gist';
}

export interface CheckDesign extends Condition {
  readonly name: string | null;
}

export type Action = 'NO ACTION' | 'RESTRICT' | 'CASCADE' | 'SET NULL';

export interface ForeignKeyDesign {
  readonly name: string | null;
  readonly columns: readonly string[];
  /** `schema.table` */
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly onDelete: Action;
  readonly onUpdate: Action;
  readonly deferrable: UniqueDesign['deferrable'];
}

export interface ViewDesign {
  readonly schema: SchemaName;
  readonly name: string;
  readonly materialized: boolean;
  /** `schema.table` */
  readonly of: string;
  readonly columns: readonly string[];
  readonly where: Condition | null;
  readonly indexed: boolean;
}

/** A row of a table: each column takes its value by one of these numbers. */
export interface RowDesign {
  readonly table: number;
  readonly values: readonly number[];
}

export const nameOf = ({ schema, name }: { readonly schema: string; readonly name: string }): string =>
  `${schema}.${name}`;

export const keyOf = ({ columns }: TableDesign): string[] =>
  columns.filter(({ primary }) => primary).map(({ name }) => name);
