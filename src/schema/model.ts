/**
 * What a PostgreSQL schema is, as facts that can be compared. Both sides of every comparison, the desired and the
 * actual one, are read from a server's catalog, so that all texts in here are PostgreSQL's own words
 * (`format_type`, `pg_get_expr`, `pg_get_constraintdef`, `pg_get_indexdef` under `search_path = pg_catalog`).
 */
export interface Schema {
  /** `server_version_num`, e.g. 180004. */
  readonly serverVersion: number;
  /** Changes whenever the catalog does; null for what never was in a catalog that others see. */
  readonly fingerprint: string | null;
  readonly namespaces: readonly Namespace[];
  /** Those wanted, or those that the database has, each with the schema of its objects. */
  readonly extensions: readonly QualifiedName[];
  readonly enums: readonly Enum[];
  readonly tables: readonly Table[];
  /** What was asked for and cannot be had. Empty for a live schema. */
  readonly refused: readonly Refusal[];
}

/** The name of an object that lives in a namespace. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** A table or view that entities ask for and that PostgreSQL, or TypeORM itself, cannot make. */
export interface Refusal extends QualifiedName {
  readonly reason: string;
  /** The foreign key that is to blame, where the table can be made without it. */
  readonly constraint: string | null;
}

/** A schema in PostgreSQL's sense. The word namespace keeps it apart from {@link Schema}. */
export interface Namespace {
  readonly name: string;
  /** Whether the current role may create objects in it. */
  readonly mayCreate: boolean;
}

export interface Enum extends QualifiedName {
  readonly values: readonly string[];
  /** Whether the current role may alter it, that is, owns it or is a member of the owning role. */
  readonly owned: boolean;
}

export type RelationKind = 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';

export interface Table extends QualifiedName {
  readonly kind: RelationKind;
  /** The SELECT of a view; null for everything else. */
  readonly definition: string | null;
  readonly comment: string | null;
  /** Whether the current role may alter it, that is, owns it or is a member of the owning role. */
  readonly owned: boolean;
  /** Whether row level security leaves rows of it out of what the current role reads. */
  readonly hidesRows: boolean;
  /** Without the owner's rights, in the order of the table. */
  readonly columns: readonly Column[];
  readonly constraints: readonly Constraint[];
  /** Those that no constraint owns. */
  readonly indexes: readonly Index[];
  /** Of a partitioned table, at any depth, the outer ones first. */
  readonly partitions: readonly Partition[];
  /** What it was called before, by the entities' own word; never read from a catalog. */
  readonly formerNames?: readonly string[];
}

/** Partitions are compared by their parent; an index, though, is built for each. */
export interface Partition extends QualifiedName {
  readonly kind: 'table' | 'partitioned table' | 'foreign table';
  /** The table that it is a part of. */
  readonly parent: QualifiedName;
  /** Those that belong to no index of the parent, or to one that is INVALID, as it lacks some partition's. */
  readonly indexes: readonly PartitionIndex[];
}

export interface PartitionIndex extends Pick<
  Index,
  'name' | 'unique' | 'definition' | 'valid' | 'inProgress'
> {
  /** The name of the parent's index that it is a part of. */
  readonly attachedTo: string | null;
  /** A primary key or unique constraint owns it. */
  readonly behindKey: boolean;
}

export interface Column {
  readonly name: string;
  /** As `format_type` prints it: `character varying(255)`. */
  readonly type: string;
  readonly notNull: boolean;
  /** The default's or the generated column's expression. Null for a serial: see {@link serial}. */
  readonly expression: string | null;
  /**
   * Whether the expression calls a volatile function, so that adding the column rewrites the table. Only known of what
   * is desired; false for what is there.
   */
  readonly volatile: boolean;
  /** The default is `nextval` of a sequence that this column owns. */
  readonly serial: boolean;
  readonly identity: 'always' | 'by default' | null;
  readonly generated: 'stored' | 'virtual' | null;
  /** Only where it differs from the type's own. */
  readonly collation: string | null;
  readonly comment: string | null;
  /** Of a serial or identity column that has rows and an index to find its maximum by; else null. */
  readonly sequence: Sequence | null;
  /** What rows get that have NULL in it. Declared beside the schema; no catalog knows it. */
  readonly backfill?: Backfill;
  /** What it was called before, by the entities' own word; never read from a catalog. */
  readonly formerNames?: readonly string[];
}

/** How the rows of a column are filled that have NULL in it. */
export interface Backfill {
  /** SQL over the row's own columns, in the application's words. */
  readonly expression: string;
  /** Which rows, as SQL; null for all that have NULL. */
  readonly where: string | null;
  /** How many rows one batch has at most; null for what the time of the batches tells. */
  readonly batchSize: number | null;
  /** Between two batches, in milliseconds; null for what those who are there need. */
  readonly pauseMs: number | null;
  /** once: until all rows have been met. every-run: whenever rows with NULL are found. */
  readonly repeat: 'once' | 'every-run';
}

/** How far a sequence has come that fills a column. Numbers as texts: they may be past what JavaScript counts exactly. */
export interface Sequence extends QualifiedName {
  readonly next: string;
  readonly increment: string;
  /** The least of what the sequence and the column's type allow. */
  readonly limit: string;
  /** The largest value in the column; null where it was not read. */
  readonly maximum: string | null;
}

export type ConstraintType = 'primary-key' | 'unique' | 'check' | 'exclusion' | 'foreign-key';

export interface Constraint {
  readonly name: string;
  readonly type: ConstraintType;
  /** What follows `ADD CONSTRAINT name`, without NOT VALID. Equal definitions mean equal constraints. */
  readonly definition: string;
  readonly columns: readonly string[];
  /**
   * False for NOT VALID: rows from before it was added were never looked at; and for a key of a partitioned table that
   * some partition lacks.
   */
  readonly validated: boolean;
  /** False where the server does not look at it: NOT ENFORCED, or a foreign key whose triggers are disabled. */
  readonly enforced: boolean;
  /** The table that a foreign key points to. */
  readonly references: (QualifiedName & { readonly columns: readonly string[] }) | null;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** From USING on, without storage parameters: `USING btree (a, b DESC) WHERE (c > 0)`. */
  readonly definition: string;
  /** What a unique index keeps unique: columns and expressions, with the rows it is limited to. Empty for others. */
  readonly uniqueKeys: readonly string[];
  readonly predicate: string | null;
  /** False for the carcass that a failed CREATE INDEX CONCURRENTLY leaves, and during such a build. */
  readonly valid: boolean;
  /** A CREATE INDEX or REINDEX is working on it right now. */
  readonly inProgress: boolean;
}

/**
 * What TypeORM wrote down about an object in its own metadata table, in the entities' words. It compares with these
 * texts, and where one is missing its next migration drops and re-creates the generated column or view.
 */
export interface Note {
  readonly type: 'GENERATED_COLUMN' | 'VIEW' | 'MATERIALIZED_VIEW';
  readonly schema: string;
  /** Of a generated column; null for a view. */
  readonly table: string | null;
  /** The column or the view. */
  readonly name: string;
  readonly value: string;
}
