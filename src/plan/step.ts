import type { Fill, FillState } from '../drift/fill.js';
import type { QualifiedName } from '../schema/model.js';
import type { Loss } from './loss.js';
import type { Question } from './question.js';

/** Table locks by PostgreSQL's names. https://www.postgresql.org/docs/current/explicit-locking.html */
export type LockMode =
  'NONE' | 'ROW EXCLUSIVE' | 'SHARE UPDATE EXCLUSIVE' | 'SHARE' | 'SHARE ROW EXCLUSIVE' | 'ACCESS EXCLUSIVE';

/** One statement, with what it costs those who use the database meanwhile. */
export interface Step {
  /** What it changes: `public.staff.first_name`. */
  readonly object: string;
  /** The table that it locks; null where it locks none that exists. */
  readonly table: QualifiedName | null;
  /** Other tables that it locks: those that its foreign keys connect it with. */
  readonly alsoLocks: readonly QualifiedName[];
  readonly sql: string;
  /** In a few words, for people: `add column`. */
  readonly action: string;
  readonly lock: LockMode;
  /** Writes the whole table anew under its lock. */
  readonly rewrites: boolean;
  /** Reads the whole table under its lock. */
  readonly scans: boolean;
  /** Of a change of type: the default that the column had before, which an undo gives back. */
  readonly formerDefault?: string | null;
}

/**
 * The order in which units run: what others build on comes first, and what an application waits for comes before what
 * takes as long as a table is large.
 */
export const PHASES = [
  /** Of an earlier run. */
  'undo',
  'extension',
  'schema',
  'rename',
  /** Foreign keys that somebody has given up, as they hold on to keys and types. */
  'release',
  'type',
  'table',
  'name',
  'column',
  'type-change',
  /** Generated from one that gets another type. */
  'late-column',
  'constraint',
  'foreign-key',
  'view',
  'note',
  // From here on a unit may read a whole table.
  'fill',
  'index',
  // Before the keys, as a primary key of nullable columns would read the table under its lock.
  'not-null',
  'key',
  /** Foreign keys to a key that the same plan makes. */
  'late-foreign-key',
  'validation',
  /** What somebody has given up: what builds on columns before these, as it would go along. */
  'drop',
  'drop-column',
  'drop-table',
] as const;

export type Phase = (typeof PHASES)[number];

/** Whether units of a phase may take as long as their table is large, without stopping anybody. */
export function mayBeLong(phase: Phase): boolean {
  return PHASES.indexOf(phase) >= PHASES.indexOf('fill');
}

/**
 * together: in one transaction. alone: outside any, as PostgreSQL refuses the statement inside one; such a unit has one
 * step. batches: its one step, an UPDATE, is done in many transactions of a few rows each.
 */
export type Manner = 'together' | 'alone' | 'batches';

/** How far a fill has come once a unit is done. */
export interface FillMark {
  readonly fill: Fill;
  readonly state: FillState;
  /** Another fill stays open, which its expression may read: it is done only if it leaves no row without a value. */
  readonly isUnsure?: boolean;
}

/** The smallest set of steps that must happen together. */
export interface Unit {
  readonly phase: Phase;
  readonly manner: Manner;
  readonly steps: readonly Step[];
  /** The index that its one step drops outside any transaction: while that is there, the step is not done. */
  readonly drops?: QualifiedName;
  /** Run when the unit fails half-way although it has no transaction to roll back. */
  readonly cleanup: string | null;
  /** Written down in the unit's own transaction; with batches, in the last of them. */
  readonly fills?: readonly FillMark[];
  /** Rows that violate it leave it out, and are no failure: they are known only when they have been filled. */
  readonly isTentative?: boolean;
  /** Counted before it runs, and again in its transaction: it may be no more than somebody has approved, or nothing. */
  readonly loss?: Loss;
  /** Asked again in its transaction: what has come since goes along with nobody's knowledge, and the unit is left out. */
  readonly takesAlong?: TakenAlong;
  /** Written down in the unit's own transaction, with a pin that keeps it from being done again. */
  readonly undoes?: Undoing;
}

/** What goes with the column or relation that it is built on. */
export interface Built {
  readonly is: 'policy' | 'trigger' | 'rule' | 'statistics' | 'index' | 'constraint' | 'column' | 'sequence';
  readonly name: string;
  /** Of what has one of its own. */
  readonly schema: string;
  /** A partition, or a table that inherits, may have what its parent has not. */
  readonly relation: QualifiedName;
}

/** What goes when something is dropped that it is built on. */
export interface TakenAlong {
  /** Answers with a list of {@link Built}. */
  readonly question: Question;
  /** What there was when it was planned. */
  readonly known: readonly Built[];
  /** The statement after which nothing more can come. */
  readonly lock: string;
}

/** The step of an earlier run that a unit takes back. */
export interface Undoing {
  /** Of the journal. */
  readonly stepId: string;
  /** Of the findings about the object whose steps are taken back with it; null for all. */
  readonly kinds: readonly string[] | null;
}

/** A unit in a transaction. */
export function unit(phase: Phase, ...steps: Step[]): Unit {
  return { phase, manner: 'together', steps, cleanup: null };
}

/** A unit that begins fills, or does one in a single statement. */
export function fillingUnit(phase: Phase, fills: readonly FillMark[], steps: readonly Step[]): Unit {
  return { phase, manner: 'together', steps, cleanup: null, fills };
}

/** A unit that fills a column while others read and write all of its rows. */
export function batchesUnit(mark: FillMark, step: Step): Unit {
  return { phase: 'fill', manner: 'batches', steps: [step], cleanup: null, fills: [mark] };
}

/** A unit of one statement that runs outside any transaction. */
export function loneUnit(phase: Phase, step: Step, cleanup: string | null = null): Unit {
  return { phase, manner: 'alone', steps: [step], cleanup };
}
